package refunds

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/office/refund"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages of refunds and approvals.
type Area struct {
	*desk.Desk
	Refunds refund.Service
	Acts    []desk.Act // of other areas
}

// Limits of acts (STAFF 28).
var (
	orders    = web.Limit{Name: "staff refunds", Words: "office.limit.refunds", Limit: guard.Limit{Max: 120, Window: time.Hour}}
	decisions = web.Limit{Name: "staff approvals", Words: "office.limit.approvals", Limit: guard.Limit{Max: 120, Window: time.Hour}}
)

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	const refundPath, approvalPath = "/office/{entity}/gifts/{ref}/refund", "/office/{entity}/approvals/{request}"
	reads, deciders := a.In(desk.Readers...), a.In(desk.Deciders...)
	return []web.Route{
		web.Get(refundPath, web.OwnDeadline, reads, a.refundGet).Limited(desk.Pages),
		web.Post(refundPath, web.OwnDeadline, a.In(staff.Finance), a.refundPost).Limited(orders),
		web.Get("/office/{entity}/refunds", web.Page, reads, a.listGet).Limited(desk.Pages),
		web.Get("/office/{entity}/approvals", web.Page, deciders, a.approvalsGet).Limited(desk.Pages),
		web.Get(approvalPath, web.OwnDeadline, deciders, a.approvalGet).Limited(desk.Pages),
		web.Post(approvalPath, web.OwnDeadline, a.In(staff.Finance, staff.Admin), a.approvalPost).Limited(decisions),
	}
}

// stripeTimeout limits the question which card paid a charge. Without an answer the page says "the card".
const stripeTimeout = 2 * time.Second

// read is Desk.Read within the time of a page.
func (a *Area) read(r *http.Request, v web.StaffVisit, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	return a.Read(r.WithContext(ctx), v, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// write runs an act in a transaction of the visit's session, within the time of a page.
func (a *Area) write(r *http.Request, v web.StaffVisit, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	return staff.InTx(ctx, a.StaffDB, v.Session, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// giftOf returns the gift of the visit's scope with a public reference; fault.NotFound if there is none.
func giftOf(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, ref string) (donation.Donation, error) {
	g, err := donation.ByRef(ctx, tx, ref)
	if err == nil && (g.EntityID != v.Entity.ID || v.Organisation != nil && g.OrganisationID != v.Organisation.ID) {
		err = web.NotFound()
	}
	return g, err
}

// mayOrder reports whether the visit's person orders and approves refunds: money belongs to the legal entity, so the role is
// held there.
func mayOrder(v web.StaffVisit) bool {
	return v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance)
}

// phrase returns a phrase in the visit's language.
func (a *Area) phrase(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}

// organisationOf returns the organisation that a visit is narrowed to; uuid.Nil if it is the whole entity.
func organisationOf(v web.StaffVisit) uuid.UUID {
	if v.Organisation == nil {
		return uuid.Nil
	}
	return v.Organisation.ID
}
