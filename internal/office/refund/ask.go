package refund

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/payment"
	"konbit/internal/people/approval"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// ErrChanged means that a request can no longer be read as it was approved: an erasure emptied its note, for one.
var ErrChanged = fault.New(fault.Conflict, "refund.problem.changed", nil)

// The ids that a form's one-time id gives its order and its request, so that the form sent again makes no other.
func orderOf(submission uuid.UUID) uuid.UUID { return uuid.NewSHA1(submission, []byte("refund order")) }

// RequestOf returns the id of the approval request that a form makes.
func RequestOf(submission uuid.UUID) uuid.UUID {
	return uuid.NewSHA1(submission, []byte("refund request"))
}

// ApprovalOf returns the request by which a second person is asked for what a preview shows. A passkey signs its Text.
func ApprovalOf(p Preview, organisation uuid.UUID) approval.Request {
	return approval.Request{
		ID: RequestOf(p.Request.Submission), EntityID: p.Request.EntityID, OrganisationID: uuid.NullUUID{UUID: organisation, Valid: true},
		Kind:    approval.Refund,
		Subject: orderOf(p.Request.Submission).String(), Body: p.Body, Needs: 1, RequestedBy: p.Request.RequestedBy,
	}
}

// AskTx asks a second person for what a preview shows, in a transaction of staff.InTx of the requester, who used a factor
// (approval.RequestTx). The same form sent again returns its request, and a Conflict if it says something else now.
func AskTx(ctx context.Context, tx *sqlx.Tx, p Preview, organisation uuid.UUID) (approval.Request, error) {
	const insert = `/* refund.AskTx */ INSERT INTO refund_request (request_id, entity_id, donation_id, note) VALUES ($1, $2, $3, $4)`
	ask := ApprovalOf(p, organisation)
	switch earlier, err := approval.ByID(ctx, tx, ask.ID); {
	case err == nil && earlier.Hash() == ask.Hash():
		return ask, nil
	case err == nil:
		return ask, ErrOtherForm
	case !errors.Is(err, sql.ErrNoRows):
		return ask, err
	}
	err := approval.RequestTx(ctx, tx, ask, nil)
	if pg.Violates(err, "approval_request_pkey") { // the same form at the same time: it finds its request if it is sent again
		return ask, fault.Wrap(fault.Unavailable, "problem.503.text", err)
	}
	if err != nil {
		return ask, err
	}
	_, err = tx.ExecContext(ctx, insert, ask.ID, ask.EntityID, p.Request.DonationID, p.Request.note())
	return ask, err
}

// AskedTx returns the refund that a request asks for, with the request as its approval: what OrderTx executes when it is
// approved, and PreviewTx shows before. It reports ErrChanged if it is not what the request's body says.
func AskedTx(ctx context.Context, tx *sqlx.Tx, a approval.Stored) (Request, error) {
	const query = `/* refund.AskedTx */ SELECT donation_id, note FROM refund_request WHERE request_id = $1`
	r, paid, currency, err := ReadBody(a.Body)
	if err != nil {
		return r, err
	}
	var stored struct {
		DonationID uuid.UUID `db:"donation_id"`
		Note       string    `db:"note"`
	}
	if err := tx.GetContext(ctx, &stored, query, a.ID); errors.Is(err, sql.ErrNoRows) {
		return r, ErrChanged
	} else if err != nil {
		return r, err
	}
	r.DonationID, r.Note = stored.DonationID, stored.Note
	r.ID, err = uuid.Parse(a.Subject)
	if err != nil || a.EntityID != r.EntityID || Body(r, paid, currency, r.Parts) != a.Body {
		return r, ErrChanged
	}
	r.Approval = &Approval{RequestID: a.ID, Hash: a.Hash()}
	return r, nil
}

// AskedOf returns the open requests for refunds of a gift, the oldest first.
func AskedOf(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (open []approval.Stored, err error) {
	const query = `/* refund.AskedOf */ SELECT request_id FROM refund_request WHERE donation_id = $1`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &ids, query, donation); err != nil || len(ids) == 0 {
		return nil, err
	}
	return approval.OpenOnes(ctx, q, ids)
}

// ReadBody reads what Body wrote. The request has neither donation nor note.
func ReadBody(body string) (r Request, payment uuid.UUID, c money.Currency, err error) {
	lines := strings.Split(body, "\n")
	values := map[string]string{}
	var sum int64
	for _, line := range lines {
		var fund string
		var part Part
		switch kind, value, _ := strings.Cut(line, " "); kind {
		case "part":
			if _, err = fmt.Sscanf(value, "%s %d", &fund, &part.Amount); err == nil {
				part.FundID, err = uuid.Parse(fund)
			}
			r.Parts = append(r.Parts, part)
		case "amount":
			_, err = fmt.Sscanf(value, "%d %s", &sum, &c)
		default:
			values[kind] = value
		}
		if err != nil {
			return r, payment, c, fmt.Errorf("refund: a request says %q: %w", line, err)
		}
	}
	r.Reason = Reason(values["reason"])
	for _, id := range []struct {
		to    *uuid.UUID
		value string
	}{{&r.EntityID, values["entity"]}, {&payment, values["payment"]}, {&r.RequestedBy,
		strings.TrimPrefix(values["requested"], "by ")}, {&r.Submission, values["form"]}} {
		if *id.to, err = uuid.Parse(id.value); err != nil {
			return r, payment, c, fmt.Errorf("refund: a request names %q: %w", id.value, err)
		}
	}
	if sum != total(r.Parts) {
		return r, payment, c, fmt.Errorf("refund: the parts of a request do not come to %d", sum)
	}
	return r, payment, c, nil
}

// LeftOf returns what may still be refunded of a gift, by fund, in the order of the fund's codes, with what was given. It
// reports the errors of OrderTx if there is nothing.
func (s Service) LeftOf(ctx context.Context, tx *sqlx.Tx, entity, donation uuid.UUID) ([]PartEffect, payment.Payment, error) {
	paid, err := s.paymentOf(ctx, tx, Request{EntityID: entity, DonationID: donation})
	if err != nil {
		return nil, paid, err
	}
	left, disputed, err := refundable(ctx, tx, paid.ID)
	if err == nil {
		err = refusal(paid, left, disputed)
	}
	if err != nil {
		return nil, paid, err
	}
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return nil, paid, err
	}
	all, err := effects(ctx, tx, catalog, paid, nil)
	return all, paid, err
}
