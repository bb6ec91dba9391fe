"""Everything the routes can do, handed to them by wiring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from fastapi import Request

from api_gateway.application.accept_notification import AcceptNotification
from api_gateway.application.act_on_deliveries import ActOnDeliveries
from api_gateway.application.ask_for_run import AskForRun, Jobs
from api_gateway.application.cancel_notification import CancelNotification
from api_gateway.application.capacity import Capacity
from api_gateway.application.change_route import ChangeRoute
from api_gateway.application.check_sender import CheckSender
from api_gateway.application.editing_ports import ChangeableRoutes, TemplateVersions
from api_gateway.application.find_person import FindPerson
from api_gateway.application.hold_unfinished import HoldUnfinished
from api_gateway.application.identify import Identify
from api_gateway.application.issue_api_keys import IssueApiKeys
from api_gateway.application.keep_groups import KeepGroups
from api_gateway.application.look_at_queue import LookAtQueue
from api_gateway.application.manage_endpoints import ManageEndpoints
from api_gateway.application.once import Once
from api_gateway.application.ports import (
    Alerts,
    ApiKeys,
    AuditEntries,
    AuditLog,
    Deliveries,
    DeliveryStatistics,
    Ledger,
    Notifications,
    Senders,
)
from api_gateway.application.preview_template import PreviewTemplate
from api_gateway.application.publish_template import PublishTemplate
from api_gateway.application.replace_webhook_secret import ReplaceWebhookSecret
from api_gateway.application.replay_envelopes import ReplayEnvelopes
from api_gateway.application.request_erasure import RequestErasure
from api_gateway.application.say_what_it_waits_for import SayWhatItWaitsFor
from api_gateway.application.send_directly import AwaitOutcome
from api_gateway.application.sign_in import SignIn, Watchers
from api_gateway.application.suppress_recipients import Suppressions, SuppressRecipients
from api_gateway.application.sync_groups import SyncGroups
from api_gateway.application.take_webhook import TakeWebhook
from api_gateway.application.tell_directory import Directory, TellDirectory
from api_gateway.application.tell_portals import TellPortals
from api_gateway.application.watch_queue import WatchQueue
from api_gateway.application.work_out_figures import WorkOutFigures
from common.kernel.clock import Clock
from common.mongo.sender_limits import LimitsOf


@dataclass(frozen=True)
class Uses:
    identify: Identify
    sign_in: SignIn
    watchers: Watchers
    audit: AuditLog
    audit_entries: AuditEntries
    api_keys: ApiKeys
    issue_api_keys: IssueApiKeys
    accept: AcceptNotification
    await_outcome: AwaitOutcome
    cancel_notification: CancelNotification
    act: ActOnDeliveries
    look_at_queue: LookAtQueue
    hold_unfinished: HoldUnfinished
    watch_queue: WatchQueue
    say_what_it_waits_for: SayWhatItWaitsFor
    once: Once
    suppress: SuppressRecipients
    suppressions: Suppressions
    capacity: Capacity
    jobs: Jobs
    alerts: Alerts
    ask_for_run: AskForRun
    take_webhook: TakeWebhook
    replace_webhook_secret: ReplaceWebhookSecret
    keep_groups: KeepGroups
    sync_groups: SyncGroups
    notifications: Notifications
    deliveries: Deliveries
    senders: Senders
    check_sender: CheckSender
    directory: Directory
    find_person: FindPerson
    tell_directory: TellDirectory
    ledger: Ledger
    statistics: DeliveryStatistics
    prices: Mapping[str, float]
    work_out_figures: WorkOutFigures
    replay_envelopes: ReplayEnvelopes
    request_erasure: RequestErasure
    manage_endpoints: ManageEndpoints
    tell_portals: TellPortals
    templates: TemplateVersions
    publish_template: PublishTemplate
    preview_template: PreviewTemplate
    routes: ChangeableRoutes
    change_route: ChangeRoute
    clock: Clock
    limits: LimitsOf
    zone: tzinfo
    admin_number: str | None


def uses(request: Request) -> Uses:
    """What the application a request came to can do."""
    found: Uses = request.app.state.uses
    return found
