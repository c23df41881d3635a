"""``/admin/v1``: the founder's routes, thin over the books and the operations."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.billing import set_details
from modelmint.api.partners import signed_up
from modelmint.api.routing import Asked, Reply, route
from modelmint.api.service import Service
from modelmint.kit.canonical import plain
from modelmint.operations.deploy import deploy, rollback


def admin_routes(service: Service) -> list[Route]:
    """All of them."""
    customer = "/admin/v1/customers/{customer}"
    return [
        route(service, "/admin/v1/customers", "founder", GET=customers, POST=make_customer),
        route(service, customer, "founder", GET=show_customer, PATCH=set_details),
        route(service, "/admin/v1/releases", "founder", GET=releases),
        route(service, "/admin/v1/deployments", "founder", GET=deployments, POST=make_deployment),
        route(service, "/admin/v1/deployments/{name}/rollback", "founder", POST=roll_back),
    ]


def customers(asked: Asked) -> Any:
    """All customers, a page at a time."""
    after, limit = asked.page()
    page = asked.service.shop.books.lists.customers(after, limit)
    return {"customers": [plain(customer) for customer in page.rows], "next": page.next or None}


def make_customer(asked: Asked) -> Reply:
    """A customer; with ``plan`` subscribed and given a first key at once, with ``code`` attributed."""
    books = asked.service.shop.books
    return signed_up(asked, lambda name, email, code: books.add_customer(name, email, referral=code))


def show_customer(asked: Asked) -> Any:
    """One customer with keys and subscriptions."""
    books = asked.service.shop.books
    customer = books.customer(asked.path["customer"])
    return {
        **plain(customer),
        "keys": [plain(key) for key in books.keys(customer.id)],
        "subscriptions": [plain(subscription) for subscription in books.subscriptions(customer.id)],
    }


def releases(asked: Asked) -> Any:
    """What is on the shelf, newest first."""
    return {
        "releases": [
            {"id": release.id, "models": sorted(release.manifest.models)} for release in asked.service.shop.shelf.list()
        ]
    }


def deployments(asked: Asked) -> Any:
    """The newest deployment of each public name, and those that this process could not load."""
    rows = asked.service.shop.books.deployments()
    failures = {name: error.message for name, error in asked.service.follower.failures.items()}
    return {"deployments": [plain(row) for row in rows], "failures": failures}


def make_deployment(asked: Asked) -> Reply:
    """``{"release": id, "name"?, "model"?, "variant"?}``: serve it from now on."""
    shop = asked.service.shop
    rows = deploy(
        shop.books,
        shop.shelf,
        asked.text("release"),
        name=asked.optional("name"),
        model=asked.optional("model"),
        variant=asked.optional("variant"),
    )
    asked.service.follow()
    return Reply({"deployments": [plain(row) for row in rows]}, status=201)


def roll_back(asked: Asked) -> Reply:
    """Serve what the name served before."""
    shop = asked.service.shop
    row = rollback(shop.books, shop.shelf, asked.path["name"])
    asked.service.follow()
    return Reply(plain(row), status=201)
