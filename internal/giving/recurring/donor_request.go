package recurring

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/planterms"
	"konbit/internal/platform/pg"
)

// DonorRequest identifies a donor's request. A second submission of the same form has the same SubmissionID and is the
// same request.
type DonorRequest struct {
	PlanID       uuid.UUID
	SubmissionID string
	Channel      string // planlink.ByLink, planlink.BySession or planlink.ByOffice
	By           string // who at the office makes it for the donor; empty: the donor, by the channel
}

// Pause requests a pause of some months; see Plan.PauseFor. Like the other requests of a donor, it returns the
// request's id; the request is executed by its job, and WaitForRequest waits for it.
func (ps Plans) Pause(ctx context.Context, r DonorRequest, months int) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, r, plan.KindPause, func(p plan.Plan) (plan.Detail, error) { return p.PauseDetail(months, ps.Now()) })
}

// PauseTx is Pause in a transaction. It also reports whether the same submission made the request before. It locks the plan.
func (ps Plans) PauseTx(ctx context.Context, tx *sqlx.Tx, r DonorRequest, months int) (id uuid.UUID, repeated bool, err error) {
	return ps.createDonorRequestTx(ctx, tx, r, plan.KindPause, func(p plan.Plan) (plan.Detail, error) { return p.PauseDetail(months, ps.Now()) })
}

// Skip requests that the next charge is left out.
func (ps Plans) Skip(ctx context.Context, r DonorRequest) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, r, plan.KindSkip, plan.Plan.SkipDetail)
}

// Resume requests the end of a pause. It returns planlink.ErrNeedsSession if the donor came by a link: the next charge
// becomes earlier. A plan is not resumed while the bank disputes a payment.
func (ps Plans) Resume(ctx context.Context, r DonorRequest) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, r, plan.KindResume, plan.Plan.ResumeDetail)
}

// ResumeTx is Resume in a transaction, as PauseTx is Pause.
func (ps Plans) ResumeTx(ctx context.Context, tx *sqlx.Tx, r DonorRequest) (id uuid.UUID, repeated bool, err error) {
	return ps.createDonorRequestTx(ctx, tx, r, plan.KindResume, plan.Plan.ResumeDetail)
}

// Cancel requests the end of the plan now. reason is the donor's answer, which may be empty; see Plan.CancelDetail.
func (ps Plans) Cancel(ctx context.Context, r DonorRequest, reason string) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, r, plan.KindCancel, func(p plan.Plan) (plan.Detail, error) { return p.CancelDetail(reason) })
}

// CancelTx is Cancel in a transaction, as PauseTx is Pause.
func (ps Plans) CancelTx(ctx context.Context, tx *sqlx.Tx, r DonorRequest, reason string) (id uuid.UUID, repeated bool, err error) {
	return ps.createDonorRequestTx(ctx, tx, r, plan.KindCancel, func(p plan.Plan) (plan.Detail, error) { return p.CancelDetail(reason) })
}

// Change requests other terms from the next charge on; see Plan.ChangeDetail. The number of payments does not change.
// It returns planlink.ErrNeedsSession if the donor came by a link and the terms take more than the present ones; see
// package planlink.
func (ps Plans) Change(ctx context.Context, r DonorRequest, to donation.Request, next *time.Time) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, r, plan.KindChange, func(p plan.Plan) (plan.Detail, error) { return p.ChangeDetail(to, next, ps.Now()) })
}

// createDonorRequest is createDonorRequestTx in a transaction of its own.
func (ps Plans) createDonorRequest(
	ctx context.Context, r DonorRequest, kind string, decide func(plan.Plan) (plan.Detail, error),
) (id uuid.UUID, err error) {
	err = pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		id, _, err = ps.createDonorRequestTx(ctx, tx, r, kind, decide)
		return err
	})
	return id, err
}

// createDonorRequestTx inserts a donor's request and returns its id. decide returns its detail for the plan's current
// state. If the same submission was inserted before, it returns that request's id, and repeated.
func (ps Plans) createDonorRequestTx(
	ctx context.Context, tx *sqlx.Tx, donorRequest DonorRequest, kind string, decide func(plan.Plan) (plan.Detail, error),
) (id uuid.UUID, repeated bool, err error) {
	const existing = `/* recurring.createDonorRequestTx */ SELECT id FROM plan_request WHERE plan_id = $1 AND kind = $2 AND subject = $3`
	p, err := lockPlanTx(ctx, tx, donorRequest.PlanID)
	if err != nil {
		return id, false, err
	}
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, existing, p.ID, kind, donorRequest.SubmissionID); err != nil {
		return id, false, err
	}
	if len(ids) > 0 {
		return ids[0], true, nil
	}
	d, err := decide(*p)
	if err == nil {
		err = checkChangeTx(ctx, tx, *p, donorRequest.Channel, kind, d)
	}
	if err != nil {
		return id, false, err
	}
	r, err := ps.insertRequestTx(ctx, tx, p, plan.Request{
		Kind: kind, Subject: donorRequest.SubmissionID, Detail: d, RequestedBy: cmp.Or(donorRequest.By, donorRequest.Channel),
	})
	return r.ID, false, err
}

// FindRequest returns the id of the request of a submission; false if there is none.
func (ps Plans) FindRequest(ctx context.Context, plan uuid.UUID, submissionID string) (id uuid.UUID, found bool, err error) {
	const query = `/* recurring.FindRequest */ SELECT id FROM plan_request WHERE plan_id = $1 AND subject = $2 AND asked_by <> 'konbit'`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, ps.DB, &ids, query, plan, submissionID); err != nil || len(ids) == 0 {
		return uuid.Nil, false, err
	}
	return ids[0], true, nil
}

const (
	waitInterval = 75 * time.Millisecond
	maxWaits     = 40 // 3 s in all
)

// WaitForRequest waits up to 3 s until a request is executed, and reports whether it was. If not, it will be executed
// later and its email confirms it. It reports fault.Conflict if the request was refused, and no error if the visitor
// left.
func (ps Plans) WaitForRequest(ctx context.Context, id uuid.UUID) (bool, error) {
	for range maxWaits {
		r, err := requestByID(ctx, ps.DB, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return false, nil //nolint:nilerr // the visitor left
		case err != nil:
			return false, err
		case r.Refused != nil:
			return false, plan.ErrWrongStatus
		case r.ExecutedAt != nil:
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(waitInterval):
		}
	}
	return false, nil
}

// checkChangeTx returns planlink.ErrNeedsSession if a request of this kind by this channel needs a session. It is called
// before the request is stored.
//
// While an earlier request of the plan waits for Stripe, a link may only cancel: a smaller change could undo a reduction
// that waits, and a pause could shorten a longer one. The error is planlink.ErrRequestWaits then.
func checkChangeTx(ctx context.Context, tx *sqlx.Tx, p plan.Plan, channel, kind string, d plan.Detail) error {
	if err := planlink.CheckKind(channel, kind); err != nil {
		return err
	}
	if kind == plan.KindCancel || channel == planlink.BySession {
		return nil
	}
	waits, err := IsChangeWaiting(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if waits {
		return planlink.ErrRequestWaits
	}
	if kind != plan.KindChange {
		return nil
	}
	parts, err := planterms.PartsOf(ctx, tx, p, p.Terms)
	if err != nil {
		return err
	}
	return p.CheckChannel(channel, parts, d)
}
