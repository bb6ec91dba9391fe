"""The rows of the directory as bodies: a misspelt field must not be taken for one that is left out."""

from typing import Annotated, Any

from pydantic import Field

from api_gateway.entrypoints.bodies import Body
from common.contracts import directory

MOST_ROWS = 10_000


class CustomerBody(directory.Customer, Body):
    """A customer."""


class TechnicianBody(directory.Technician, Body):
    """A technician."""


class StaffBody(directory.Staff, Body):
    """Somebody of the staff who gets messages."""


class TicketBody(directory.Ticket, Body):
    """A ticket."""


class InvoiceBody(directory.Invoice, Body):
    """An invoice."""


class PackageBody(directory.Package, Body):
    """A package customers have."""


RowBody = CustomerBody | TechnicianBody | StaffBody | TicketBody | InvoiceBody | PackageBody
ROW_BODIES: dict[str, type[RowBody]] = {
    body.kind: body for body in (CustomerBody, TechnicianBody, StaffBody, TicketBody, InvoiceBody, PackageBody)
}


class RowsBody(Body):
    """Many rows of one kind; each is checked alone."""

    items: Annotated[list[Any], Field(min_length=1, max_length=MOST_ROWS)]
