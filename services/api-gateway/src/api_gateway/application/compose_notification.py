"""Find out who gets which text, and what about, before anything is stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from api_gateway.application.catalogue_ports import Administrators, Directory, Groups, Templates
from api_gateway.application.compose_audience import ReadItem, of_items, of_recipients, read_items
from api_gateway.application.find_customers import FindCustomers
from api_gateway.application.find_recipients import PERSON, FindStaff, the_person
from api_gateway.application.find_stand_in import ALERTS, find_stand_in
from api_gateway.application.gather_rows import Rows, context, gather_rows
from api_gateway.application.typed_data import read_data
from api_gateway.application.wordings import Wording
from api_gateway.domain.audience import Audience, member_channel
from api_gateway.domain.channels import Channels, Reach, channels_for
from api_gateway.domain.refusals import Refused, invalid
from api_gateway.domain.subjects import Subject, subject
from api_gateway.domain.submission import Submission, Values
from api_gateway.domain.texts import check_otp, check_values
from common.catalogue.definitions import DEFINITIONS, Definition, Recipients, Route
from common.catalogue.shapes import Shape
from common.contracts.documents import AudienceQuery, TemplateDocument
from common.contracts.vocabulary import BY_WHATSAPP, Channel, NotificationType
from common.kernel.phone import is_group

NOTHING: Subject = ("", None)


@dataclass(frozen=True)
class Composed:
    """`audience`: the members, or with a `query` the ids it is about; `data` what all of them are told with.

    `deliveries`: how many there will be by each channel, `people` for how many.
    """

    audience: Audience
    people: int
    deliveries: Mapping[Channel, int]
    data: Mapping[str, Any] | None
    template: TemplateDocument | None = None
    query: AudienceQuery | None = None
    subject: Subject = NOTHING
    many: bool = field(default=False)
    """Whether its type is told to many, so that they are counted in the answer."""

    @property
    def recipients(self) -> int:
        return sum(self.deliveries.values())


def _of(
    audience: Audience, data: Mapping[str, Any] | None, template: TemplateDocument | None, **about: Any
) -> Composed:
    """To the members of an audience."""
    deliveries = Counter(member_channel(member) for member in audience.members)
    return Composed(audience, audience.people, deliveries, data, template, **about)


@dataclass(frozen=True)
class ComposeNotification:
    directory: Directory
    groups: Groups
    templates: Templates
    administrators: Administrators
    zone: tzinfo
    mail_is_on: bool

    async def check(self, submission: Submission) -> None:
        """Raise `Refused` for what is wrong with the call whatever is stored, also while the database is away."""
        _check_call(submission, DEFINITIONS[submission.type])
        if submission.to:
            (await of_recipients(submission.to, Reach(no_mail=None))).demand_somebody()

    async def __call__(
        self, submission: Submission, route: Route, validity_seconds: float, providers: Sequence[str]
    ) -> Composed:
        """Everybody who can be reached with a text that can be rendered, and everybody else with the reason.

        Raises `Refused` for what is wrong with the call itself and when nobody is left; `Unknown` when that may be
        because a row was not told so far.
        """
        definition = DEFINITIONS[submission.type]
        template = await self._template(submission)
        wording = Wording(submission.type, template, validity_seconds, self.zone)
        channels = channels_for(
            submission.type,
            route,
            submission.channels,
            has_email=wording.has_email,
            mail_is_on=self.mail_is_on,
            direct=submission.direct,
        )
        shape = None if submission.type is NotificationType.OTP else definition.shape
        if shape is None:
            composed = await self._free(submission, wording, channels)
        else:
            composed = await _Typed(
                self, submission, definition, shape, wording, providers, channels, route.suppressible
            ).composed()
        if submission.direct and (submission.items or composed.query or len(composed.audience.members) != 1):
            raise invalid("direct", "a direct send has exactly one recipient, in to")
        return composed

    async def _template(self, submission: Submission) -> TemplateDocument | None:
        if submission.type is not NotificationType.CUSTOM:
            return await self.templates.current(submission.type)
        if submission.template is None:
            return None
        try:
            return await self.templates.current(submission.template)
        except LookupError as error:
            raise invalid("template", f"there is no template {submission.template}") from error

    async def _free(self, submission: Submission, wording: Wording, channels: Channels) -> Composed:
        """Of `custom` and `otp`, which bring their values as they are."""
        data = submission.data
        if data is not None:
            check_values("data", data)
        if submission.type is NotificationType.OTP:
            check_otp(data)
        if submission.items:
            items = read_items(submission, wording)
            audience = await of_items(items, wording, channels.reach, message=submission.message, data=data)
        else:
            audience = await of_recipients(submission.to, channels.reach)
            wording.check(
                submission.message, data, map(member_channel, audience.members) if audience.members else BY_WHATSAPP
            )
        audience.demand_somebody()
        if submission.type is NotificationType.OTP and is_group(audience.members[0]["to"]):
            raise invalid("to", "an otp goes to one person, not to a group")
        about = subject(submission.type, {"message": submission.message, "data": data})
        own = bool(submission.items)
        return _of(audience, data, wording.template, subject=NOTHING if own else about)


@dataclass(frozen=True)
class _Typed:
    """One notification of a type whose data has a shape."""

    of: ComposeNotification
    submission: Submission
    definition: Definition
    shape: type[Shape]
    wording: Wording
    providers: Sequence[str]
    channels: Channels
    suppressible: bool

    async def composed(self) -> Composed:
        submission, definition, template = self.submission, self.definition, self.wording.template
        if submission.items:
            return await self._of_items()
        data = read_data(self.shape, submission.data, submission.prefix)
        if definition.recipients is Recipients.CUSTOMERS and not submission.to:
            addressed = await FindCustomers(self.of.directory)(data, self.wording, submission.prefix, self.channels)
            about = subject(submission.type, data)
            each = dict.fromkeys(self.channels.told, addressed.people)
            return Composed(
                addressed.audience, addressed.people, each, data, template, addressed.query, about, many=True
            )
        rows = await self._rows([data])
        rows[0].demand_named(submission.prefix)
        told = context(data, rows[0], definition.rows)
        audience = await self._audience(told, rows[0])
        many = definition.recipients is Recipients.STAFF
        return _of(audience, told, template, subject=subject(submission.type, told), many=many)

    async def _audience(self, told: Mapping[str, Any], rows: Rows) -> Audience:
        submission, definition = self.submission, self.definition
        if submission.to:
            audience = await of_recipients(submission.to, self.channels.reach)
            audience.demand_somebody()
        elif definition.recipients in PERSON:
            audience = the_person(definition, rows, submission.prefix, self.channels)
        else:
            find, stand_in = FindStaff(self.of.directory, self.of.groups), await self._stand_in()
            audience = await find(definition, self.wording, told, self.providers, self.channels, stand_in=stand_in)
        self.wording.check(None, told, map(member_channel, audience.members))
        return audience

    async def _stand_in(self) -> str | None:
        if self.submission.type not in ALERTS:
            return None
        return await find_stand_in(self.of.administrators, self.channels, suppressible=self.suppressible)

    async def _of_items(self) -> Composed:
        """Each item's data replaces the shared one, and speaks of rows of its own."""
        submission = self.submission
        shared = None if submission.data is None else read_data(self.shape, submission.data, submission.prefix)
        read = [item.refused or self._read(item.data, shared) for item in submission.items]
        gathered = iter(await self._rows([data for data in read if not isinstance(data, Refused)]))
        items = [
            ReadItem(item.to, refused=data) if isinstance(data, Refused) else self._item(item.to, data, next(gathered))
            for item, data in zip(submission.items, read, strict=True)
        ]
        audience = await of_items(items, self.wording, self.channels.reach)
        audience.demand_somebody()
        return _of(audience, None, self.wording.template)

    def _read(self, own: Values | None, shared: dict[str, Any] | None) -> dict[str, Any] | Refused:
        if own is None and shared is not None:
            return shared
        try:
            return read_data(self.shape, own, self.submission.prefix)
        except Refused as refused:
            return refused

    def _item(self, to: object, data: dict[str, Any], rows: Rows) -> ReadItem:
        try:
            rows.demand_named(self.submission.prefix)
        except Refused as refused:
            return ReadItem(to, refused=refused)
        return ReadItem(to, data=context(data, rows, self.definition.rows))

    async def _rows(self, asked: Sequence[Mapping[str, Any]]) -> list[Rows]:
        person = PERSON.get(self.definition.recipients)
        wanted = self.definition.rows if person is None else (*self.definition.rows, person)
        return await gather_rows(self.of.directory, asked, wanted)


def _check_call(submission: Submission, definition: Definition) -> None:
    """Raise `Refused` for fields that do not go together."""
    kind = submission.type
    if submission.items and submission.to:
        raise invalid("items", "give either to or items")
    if definition.recipients is Recipients.GIVEN and not submission.items and not submission.to:
        raise invalid("to", "needed: a number like 6281200000001, a group, or a list of them")
    if kind is NotificationType.OTP and (submission.items or len(submission.to) != 1):
        raise invalid("items" if submission.items else "to", "an otp goes to exactly one number")
    if kind is not NotificationType.CUSTOM and submission.template is not None:
        raise invalid("template", f"{kind} has a template of its own; leave template out")
    if kind is not NotificationType.CUSTOM or submission.template is not None:
        _check_no_message(submission)


def _check_no_message(submission: Submission) -> None:
    if submission.type is NotificationType.OTP:
        why = "an otp has its own text; leave message out"
    elif submission.template is not None:
        why = "the template has the text; leave message out"
    else:
        why = f"{submission.type} has its own text; leave message out"
    if submission.message is not None:
        raise invalid("message", why)
    for index, item in enumerate(submission.items):
        if item.message is not None:
            raise invalid(f"items.{index}.message", why)
