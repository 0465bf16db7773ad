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
type Wish struct {
	Plan  uuid.UUID
	Press string
	By    string // letter or portal
}

// MostPause is the longest pause, in months.
const MostPause = 12

// PauseFor is what a pause of some months comes to: no bill until then is charged, and the next charge after it. At least one
// charge is left out. fault.Invalid when it is no pause, fault.Conflict when the plan is not one to pause.
func (p Plan) PauseFor(months int, now time.Time) (until, next time.Time, err error) {
	if months < 1 || months > MostPause {
		return until, next, fault.Fields([]fault.Field{{Name: "months", Phrase: "plan.error.months"}})
	}
	if err := p.runs(); err != nil {
		return until, next, err
	}
	until = org.Monthly.Step(now, months).Add(time.Minute) // who pauses in the moment of a charge means those after it
	if least := p.NextAt.Add(24 * time.Hour); until.Before(least) {
		until = least
	}
	return until, p.resumed(*p.NextAt, until), nil
}

// SkipOne is PauseFor the next charge alone.
func (p Plan) SkipOne() (until, next time.Time, err error) {
	if err := p.runs(); err != nil {
		return until, next, err
	}
	until = p.NextAt.Add(24 * time.Hour)
	return until, p.resumed(*p.NextAt, until), nil
}

// runs tells whether something is going to be charged.
func (p Plan) runs() error {
	if p.Status != Active || p.NextAt == nil {
		return errState
	}
	return nil
}

var errState = fault.New(fault.Conflict, "plan.error.state", nil)

// Pause asks for a pause.
func (k Keeper) Pause(ctx context.Context, w Wish, months int) (uuid.UUID, error) {
	return k.wish(ctx, w, kindPause, func(p Plan) (Detail, error) {
		until, _, err := p.PauseFor(months, k.Now())
		return Detail{Months: months, Until: &until}, err
	})
}

// Skip asks to leave the next charge out.
func (k Keeper) Skip(ctx context.Context, w Wish) (uuid.UUID, error) {
	return k.wish(ctx, w, kindSkip, func(p Plan) (Detail, error) {
		until, _, err := p.SkipOne()
		return Detail{Until: &until}, err
	})
}

// Resume asks to end a pause.
func (k Keeper) Resume(ctx context.Context, w Wish) (uuid.UUID, error) {
	return k.wish(ctx, w, kindResume, func(p Plan) (Detail, error) {
		if p.Status != Paused {
			return Detail{}, errState
		}
		return Detail{}, nil
	})
}

// Cancel asks to end the plan now. reason is what the donor may have answered, at most 500 characters of it.
func (k Keeper) Cancel(ctx context.Context, w Wish, reason string) (uuid.UUID, error) {
	return k.wish(ctx, w, kindCancel, func(p Plan) (Detail, error) {
		if !p.Status.Goes() {
			return Detail{}, errState
		}
		text := []rune(strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(reason), "\x00", ""), ""))
		return Detail{Reason: string(text[:min(len(text), 500)])}, nil
	})
}

// Change asks to give something else from the next charge on: to is what donation.Form.CheckTerms answered, next the date of that
// charge, nil to leave it. The number of payments stays as it is.
func (k Keeper) Change(ctx context.Context, w Wish, to donation.Request, next *time.Time) (uuid.UUID, error) {
	return k.wish(ctx, w, kindChange, func(p Plan) (Detail, error) { return p.ChangeTo(to, next, k.Now()) })
}

// ChangeTo is what a change comes to, before it is asked for.
func (p Plan) ChangeTo(to donation.Request, next *time.Time, now time.Time) (Detail, error) {
	if err := p.runs(); err != nil {
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
		Repaced: next != nil || to.Frequency != p.Frequency,
	}
	for _, part := range to.Designations {
		d.Parts = append(d.Parts, Part{part.FundID, part.Amount.Minor, part.Covered.Minor})
	}
	return d, nil
}

// wish writes a donor's request, by what the plan is now, and answers its id. It is carried out by its job; Await waits for that.
func (k Keeper) wish(ctx context.Context, w Wish, kind string, decide func(Plan) (Detail, error)) (id uuid.UUID, err error) {
	const made = `/* recurring.wish */ SELECT id FROM plan_request WHERE plan_id = $1 AND kind = $2 AND subject = $3`
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		p, err := lockOneTx(ctx, tx, w.Plan)
		if err != nil {
			return err
		}
		var before []uuid.UUID
		if err := tx.SelectContext(ctx, &before, made, p.ID, kind, w.Press); err != nil {
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
		r, err := k.requestTx(ctx, tx, p, request{Kind: kind, Subject: w.Press, Detail: d, By: w.By})
		id = r.ID
		return err
	})
	return id, err
}

// Asked finds what a press asked for before.
func (k Keeper) Asked(ctx context.Context, plan uuid.UUID, press string) (id uuid.UUID, asked bool, err error) {
	const query = `/* recurring.Asked */ SELECT id FROM plan_request WHERE plan_id = $1 AND subject = $2 AND asked_by <> 'konbit'`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, k.DB, &ids, query, plan, press); err != nil || len(ids) == 0 {
		return uuid.Nil, false, err
	}
	return ids[0], true, nil
}

// Await waits a while for a request to be carried out, and answers whether it was. False: it will be; its letter tells.
// A refusal is fault.Conflict.
func (k Keeper) Await(ctx context.Context, id uuid.UUID) (bool, error) {
	for range 40 {
		r, err := readRequest(ctx, k.DB, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return false, nil
		case err != nil:
			return false, err
		case r.Refused != nil:
			return false, errState
		case r.CarriedAt != nil:
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
