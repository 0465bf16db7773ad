package giftimport

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/office/deposit"
	"konbit/internal/office/offline"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/offlinepay"
)

// Voider undoes gifts that were recorded by mistake. offlinepay.Booker is one.
type Voider interface {
	VoidOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, payment uuid.UUID) (bool, error)
}

// Service posts and undoes imports.
type Service struct {
	DB      *sqlx.DB
	Queue   *jobs.Queue
	Catalog *fund.CatalogCache
	Poster  offline.Poster
	Voider  Voider
	NewID   func() uuid.UUID
	Now     func() time.Time
}

// Register registers the job.
func (s Service) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job Job) error { return s.Run(ctx, job.ImportID) })
}

// batchRows is how many rows a batch of an import has at most: a transaction of them takes about a second.
const batchRows = 500

// Run posts an import that was ordered, or undoes it. It may run again, at the same time too, after any end: each batch is a transaction.
func (s Service) Run(ctx context.Context, id uuid.UUID) error {
	i, err := ByID(ctx, s.DB, id)
	if err != nil {
		return err
	}
	switch i.State() {
	case Running:
		return s.post(ctx, i)
	case Undoing:
		return s.undo(ctx, i)
	}
	return nil
}

// inTx runs fn in a transaction of the import's job, while the import is in a state: the database knows who ordered it. done reports that the import
// is in another state by now.
func (s Service) inTx(ctx context.Context, i Import, in State, fn func(tx *sqlx.Tx) error) (done bool, err error) {
	const as = `/* giftimport.inTx */ SELECT set_config('konbit.gift_import', $1, true)`
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, as, i.ID.String()); err != nil {
			return err
		}
		now, err := lockTx(ctx, tx, i.EntityID, i.N)
		if err != nil {
			return err
		}
		if done = now.State() != in; done {
			return nil
		}
		return fn(tx)
	})
	return done, err
}

// post posts what is not posted yet.
func (s Service) post(ctx context.Context, i Import) error {
	t, err := i.Table()
	if err != nil {
		return err
	}
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	entity, err := catalog.EntityByID(i.EntityID)
	if err != nil {
		return err
	}
	checker := Checker{Catalog: catalog, Entity: entity, Mapping: i.Mapping, Today: ledger.DateOf(s.Now(), entity.Location())}
	rows := checker.Check(t)
	left := CountBad(rows)
	if left > 0 && !i.WithoutBad || left == len(rows) {
		return s.back(ctx, i, ErrBad)
	}
	rows = slices.DeleteFunc(rows, func(r Checked) bool { return len(r.Bad) > 0 })
	stored, err := s.stored(ctx, i)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r Checked) bool { return stored[r.Line] })
	for _, chunk := range chunks(rows) {
		if err := checker.Look(ctx, s.DB, chunk); err != nil {
			return err
		}
		done, err := s.inTx(ctx, i, Running, func(tx *sqlx.Tx) error { return s.postChunkTx(ctx, tx, catalog, i, chunk) })
		var known *fault.Error
		var row *offline.ErrRow
		switch {
		case done:
			return nil
		case errors.As(err, &row), errors.As(err, &known) && known.Kind == fault.Conflict:
			return s.failed(ctx, i)
		case err != nil:
			return err
		}
	}
	const end = `/* giftimport.post */ UPDATE gift_import SET ended_at = 'epoch', content = NULL, left_out = $2 WHERE id = $1`
	_, err = s.inTx(ctx, i, Running, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, end, i.ID, left); err != nil {
			return explained(err)
		}
		return recordTx(ctx, tx, "import.ended", i.EntityID, i.ID, map[string]any{"left_out": left})
	})
	return err
}

// chunks divides rows into batches: by day, at most batchRows in each, in the order of the file.
func chunks(rows []Checked) (all [][]Checked) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Checked) int {
		if a.ReceivedOn == b.ReceivedOn {
			return 0
		}
		return a.ReceivedOn.In(time.UTC).Compare(b.ReceivedOn.In(time.UTC))
	})
	for _, r := range rows {
		last := len(all) - 1
		if last < 0 || len(all[last]) == batchRows || all[last][0].ReceivedOn != r.ReceivedOn {
			all = append(all, nil)
			last++
		}
		all[last] = append(all[last], r)
	}
	return all
}

// postChunkTx posts a batch of an import.
func (s Service) postChunkTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, i Import, chunk []Checked) error {
	const link = `/* giftimport.postChunkTx */ INSERT INTO gift_import_batch (batch_id, entity_id, import_id) VALUES ($1, $2, $3)`
	const count = `/* giftimport.postChunkTx */ UPDATE gift_import SET posted = posted + $2, total = total + $3 WHERE id = $1`
	rows := make([]offline.NewRow, len(chunk))
	at := map[int]int{}
	var sum int64
	for n, r := range chunk {
		at[r.Line] = n + 1
		r.Meaning.Donor.SameAs = at[r.SameAs]
		sum += r.Meaning.Minor
		rows[n] = offline.NewRow{Submission: rowID(i.ID, r.Line), Typed: r.Typed, Meaning: r.Meaning}
	}
	entity, err := catalog.EntityByID(i.EntityID)
	if err != nil {
		return err
	}
	b, err := offline.BeginTx(ctx, tx, offline.Batch{
		ID: s.NewID(), EntityID: i.EntityID, ReceivedOn: chunk[0].ReceivedOn, Counted: len(chunk), TotalMinor: sum, Currency: entity.Currency,
		Submission: uuid.NewSHA1(i.ID, []byte("batch of line "+strconv.Itoa(chunk[0].Line))),
	})
	if err != nil {
		return err
	}
	if b.PostedAt != nil { // another worker posted it meanwhile
		return nil
	}
	if err := offline.StoreAllTx(ctx, tx, b, rows); err != nil {
		return err
	}
	if _, err := s.Poster.PostTx(ctx, tx, catalog, b.ID, ""); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, link, b.ID, i.EntityID, i.ID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, count, i.ID, len(chunk), sum)
	return explained(err)
}

// rowID is the id of the form of a row: it is stored once.
func rowID(id uuid.UUID, line int) uuid.UUID {
	return uuid.NewSHA1(id, []byte("line "+strconv.Itoa(line)))
}

// stored returns the lines that are posted.
func (s Service) stored(ctx context.Context, i Import) (map[int]bool, error) {
	const query = `/* giftimport.stored */ SELECT r.submission FROM gift_import_row r WHERE r.import_id = $1`
	var ids []uuid.UUID
	if err := s.DB.SelectContext(ctx, &ids, query, i.ID); err != nil {
		return nil, err
	}
	known := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	lines := map[int]bool{}
	for line := 1; len(known) > 0 && line <= 2*MaxRows; line++ {
		if known[rowID(i.ID, line)] {
			lines[line] = true
		}
	}
	return lines, nil
}

// back lets people look at an import again of which nothing is posted.
func (s Service) back(ctx context.Context, i Import, why error) error {
	const query = `/* giftimport.back */ UPDATE gift_import SET ordered_at = NULL, problem = $2 WHERE id = $1 AND posted = 0`
	var known *fault.Error
	errors.As(why, &known)
	_, err := s.inTx(ctx, i, Running, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, i.ID, known.Phrase)
		return explained(err)
	})
	return err
}

// failed ends an import of which a batch cannot be posted, since a fund was closed or a donor erased meanwhile: all or nothing, so that what is posted
// is undone.
func (s Service) failed(ctx context.Context, i Import) error {
	const query = `/* giftimport.failed */ UPDATE gift_import SET ended_at = 'epoch', content = NULL, undo_at = 'epoch', problem = 'office.import.problem.failed' WHERE id = $1`
	now, err := ByID(ctx, s.DB, i.ID)
	if err != nil {
		return err
	}
	if now.Posted == 0 {
		return s.back(ctx, i, fault.New(fault.Conflict, "office.import.problem.failed", nil))
	}
	_, err = s.inTx(ctx, i, Running, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, query, i.ID); err != nil {
			return explained(err)
		}
		return s.Queue.EnqueueTx(ctx, tx, Job{i.ID})
	})
	return err
}

// undo reverses what an import posted, a hundred gifts in a transaction. A gift that cannot be undone any more stops it, and all stays as far as it is.
func (s Service) undo(ctx context.Context, i Import) error {
	const open = `/* giftimport.undo */ SELECT g.gift_id FROM gift_import_gift g JOIN gift_import_batch b ON b.batch_id = g.batch_id
		WHERE b.import_id = $1 AND NOT EXISTS (SELECT FROM payment_change_of_void v WHERE v.payment_id = g.gift_id) ORDER BY g.gift_id LIMIT 100`
	const matched = `/* giftimport.undo */ SELECT EXISTS (SELECT FROM gift_import_gift g JOIN bank_cleared c ON c.entity_id = g.entity_id AND c.kind = 'gift' AND c.ref = g.public_ref
		WHERE g.gift_id = $1)`
	const end = `/* giftimport.undo */ UPDATE gift_import SET undone_at = 'epoch' WHERE id = $1`
	const stop = `/* giftimport.undo */ UPDATE gift_import SET undo_at = NULL, problem = $2 WHERE id = $1`
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	for {
		left := 0
		done, err := s.inTx(ctx, i, Undoing, func(tx *sqlx.Tx) error {
			var gifts []uuid.UUID
			if err := tx.SelectContext(ctx, &gifts, open, i.ID); err != nil {
				return err
			}
			left = len(gifts)
			for _, id := range gifts {
				var onStatement bool
				if err := tx.GetContext(ctx, &onStatement, matched, id); err != nil {
					return err
				}
				if onStatement {
					return offlinepay.ErrNotVoided
				}
				if err := deposit.LeaveTx(ctx, tx, id); err != nil {
					return err
				}
				if _, err := s.Voider.VoidOfflineTx(ctx, tx, catalog, i.EntityID, id); err != nil {
					return err
				}
			}
			if left > 0 {
				return nil
			}
			if _, err := tx.ExecContext(ctx, end, i.ID); err != nil {
				return explained(err)
			}
			return recordTx(ctx, tx, "import.undone", i.EntityID, i.ID, nil)
		})
		var known *fault.Error
		switch {
		case errors.As(err, &known) && known.Kind == fault.Conflict:
			problem := known.Phrase
			if errors.Is(err, offlinepay.ErrNotVoided) || errors.Is(err, offlinepay.ErrWentBack) || errors.Is(err, offlinepay.ErrMonthClosed) {
				problem = "office.import.problem.spent" // of which gift, its page says
			}
			_, err := s.inTx(ctx, i, Undoing, func(tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, stop, i.ID, problem)
				return explained(err)
			})
			return err
		case err != nil || done || left == 0:
			return err
		}
	}
}
