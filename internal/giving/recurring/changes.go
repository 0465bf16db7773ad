package recurring

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Wish is what a donor asks for. Its Press is the form's one-time id: a second press is the same wish.
type DonorRequest struct {
	PlanID       uuid.UUID
	SubmissionID string
	Channel      string // letter or portal
}

// MostPause is the longest pause, in months.
const MaxPauseMonths = 12

// PauseFor is what a pause of some months comes to: no bill until then is charged, and the next charge after it. At least one
// charge is left out. fault.Invalid when it is no pause, fault.Conflict when the plan is not one to pause.
func (p Plan) PauseFor(months int, now time.Time) (until, next time.Time, err error) {
	if months < 1 || months > MaxPauseMonths {
		return until, next, fault.Fields([]fault.Field{{Name: "months", Phrase: "plan.error.months"}})
	}
	if err := p.checkActive(); err != nil {
		return until, next, err
	}
	until = org.Monthly.Step(now, months).Add(time.Minute) // who pauses in the moment of a charge means those after it
	if least := p.NextAt.Add(24 * time.Hour); until.Before(least) {
		until = least
	}
	return until, p.chargeAfterPause(*p.NextAt, until), nil
}

// SkipOne is PauseFor the next charge alone.
func (p Plan) SkipNext() (until, next time.Time, err error) {
	if err := p.checkActive(); err != nil {
		return until, next, err
	}
	until = p.NextAt.Add(24 * time.Hour)
	return until, p.chargeAfterPause(*p.NextAt, until), nil
}

// runs tells whether something is going to be charged.
func (p Plan) checkActive() error {
	if p.Status != Active || p.NextAt == nil {
		return errWrongStatus
	}
	return nil
}

var errWrongStatus = fault.New(fault.Conflict, "plan.error.state", nil)

// Pause asks for a pause.
func (ps Plans) Pause(ctx context.Context, w DonorRequest, months int) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, w, kindPause, func(p Plan) (Detail, error) {
		until, _, err := p.PauseFor(months, ps.Now())
		return Detail{Months: months, Until: &until}, err
	})
}

// Skip asks to leave the next charge out.
func (ps Plans) Skip(ctx context.Context, w DonorRequest) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, w, kindSkip, func(p Plan) (Detail, error) {
		until, _, err := p.SkipNext()
		return Detail{Until: &until}, err
	})
}

// Resume asks to end a pause.
func (ps Plans) Resume(ctx context.Context, w DonorRequest) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, w, kindResume, func(p Plan) (Detail, error) {
		if p.Status != Paused {
			return Detail{}, errWrongStatus
		}
		return Detail{}, nil
	})
}

// Cancel asks to end the plan now. reason is what the donor may have answered, at most 500 characters of it.
func (ps Plans) Cancel(ctx context.Context, w DonorRequest, reason string) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, w, kindCancel, func(p Plan) (Detail, error) {
		if !p.Status.IsRunning() {
			return Detail{}, errWrongStatus
		}
		text := []rune(strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(reason), "\x00", ""), ""))
		return Detail{Reason: string(text[:min(len(text), 500)])}, nil
	})
}

// Change asks to give something else from the next charge on: to is what donation.Form.CheckTerms answered, next the date of that
// charge, nil to leave it. The number of payments stays as it is.
func (ps Plans) Change(ctx context.Context, w DonorRequest, to donation.Request, next *time.Time) (uuid.UUID, error) {
	return ps.createDonorRequest(ctx, w, kindChange, func(p Plan) (Detail, error) { return p.ChangeDetail(to, next, ps.Now()) })
}

// ChangeTo is what a change comes to, before it is asked for.
func (p Plan) ChangeDetail(to donation.Request, next *time.Time, now time.Time) (Detail, error) {
	if err := p.checkActive(); err != nil {
		return Detail{}, err
	}
	if !to.Recurs() {
		return Detail{}, fault.Fields([]fault.Field{{Name: "frequency", Phrase: "give.error.frequency.choice"}})
	}
	if next != nil && (next.Before(now.Add(24*time.Hour)) || next.After(now.AddDate(1, 0, 0))) {
		return Detail{}, fault.Fields([]fault.Field{{Name: "date", Phrase: "plan.error.date"}})
	}
	d := Detail{
		Amount: to.Amount.Minor, Covered: to.Covered.Minor, Frequency: string(to.Frequency), Next: next,
		DatesChanged: next != nil || to.Frequency != p.Frequency,
	}
	for _, part := range to.Designations {
		d.Parts = append(d.Parts, Part{part.FundID, part.Amount.Minor, part.Covered.Minor})
	}
	return d, nil
}

// wish writes a donor's request, by what the plan is now, and answers its id. It is carried out by its job; Await waits for that.
func (ps Plans) createDonorRequest(ctx context.Context, w DonorRequest, kind string, decide func(Plan) (Detail, error)) (id uuid.UUID, err error) {
	const made = `/* recurring.createDonorRequest */ SELECT id FROM plan_request WHERE plan_id = $1 AND kind = $2 AND subject = $3`
	err = pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, w.PlanID)
		if err != nil {
			return err
		}
		var before []uuid.UUID
		if err := tx.SelectContext(ctx, &before, made, p.ID, kind, w.SubmissionID); err != nil {
			return err
		}
		if len(before) > 0 {
			id = before[0]
			return nil
		}
		d, err := decide(*p)
		if err != nil {
			return err
		}
		r, err := ps.insertRequestTx(ctx, tx, p, request{Kind: kind, Subject: w.SubmissionID, Detail: d, RequestedBy: w.Channel})
		id = r.ID
		return err
	})
	return id, err
}

// Asked finds what a press asked for before.
func (ps Plans) FindRequest(ctx context.Context, plan uuid.UUID, press string) (id uuid.UUID, asked bool, err error) {
	const query = `/* recurring.FindRequest */ SELECT id FROM plan_request WHERE plan_id = $1 AND subject = $2 AND asked_by <> 'konbit'`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, ps.DB, &ids, query, plan, press); err != nil || len(ids) == 0 {
		return uuid.Nil, false, err
	}
	return ids[0], true, nil
}

// Await waits a while for a request to be carried out, and answers whether it was. False: it will be; its letter tells.
// A refusal is fault.Conflict.
func (ps Plans) WaitForRequest(ctx context.Context, id uuid.UUID) (bool, error) {
	for range 40 {
		r, err := requestByID(ctx, ps.DB, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return false, nil
		case err != nil:
			return false, err
		case r.Refused != nil:
			return false, errWrongStatus
		case r.ExecutedAt != nil:
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(75 * time.Millisecond):
		}
	}
	return false, nil
}
