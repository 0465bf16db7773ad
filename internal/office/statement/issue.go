package statement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// batchSize is the number of donors whose statements are issued in one transaction: enough that ten thousand
// statements take seconds, and few enough that little is lost when the process is killed.
const batchSize = 200

// Issuer issues statements. It is safe for concurrent use, and by any number of processes.
type Issuer struct {
	DB      *sqlx.DB
	Queue   *jobs.Queue
	Catalog *fund.CatalogCache
	Now     func() time.Time
	// Measured returns which moment of the database's clock a moment of Now was, or an earlier one.
	Measured func(at time.Time) time.Time
	NewID    func() uuid.UUID
	DryRun   bool // count what would be issued; nothing is issued or enqueued
}

// ErrYear is the error that annual statements of a year cannot be issued yet.
var ErrYear = errors.New("annual statements are issued when their calendar year is over")

// CheckOver reports ErrYear if a calendar year is not over at a moment in the entity's time zone. The entity's fiscal
// year does not matter: donors file their taxes by calendar years.
func CheckOver(entity org.LegalEntity, year int, now time.Time) error {
	if now.In(entity.Location()).Year() > year {
		return nil
	}
	return fmt.Errorf("%w: %d ends for %s on 31 December at midnight in %s", ErrYear, year, entity.Slug, entity.Timezone)
}

// Tally counts a year's statements.
type Tally struct {
	Donors    int `json:"donors"`  // donors who gave in the year
	Gifts     int `json:"gifts"`   // donations of those donors
	Existing  int `json:"before"`  // statements that existed when the batch began
	Issued    int `json:"issued"`  // by this batch
	Corrected int `json:"revised"` // corrected by this batch
	Mailed    int `json:"mailed"`  // emails about the gifts so far
}

// Count returns the tally before a batch.
func (d Issuer) Count(ctx context.Context, entity org.LegalEntity, year int) (t Tally, err error) {
	if t.Donors, t.Gifts, err = donation.CountInYear(ctx, d.DB, entity.ID, year); err != nil {
		return t, err
	}
	t.Existing, err = countIssued(ctx, d.DB, entity.ID, year)
	return t, err
}

// Issue issues a year's statement to every donor of an entity who has none yet, and corrects those whose donations
// have changed. It may be stopped at any moment and called again, also at the same time as another call: each donor
// gets one. A donor who was erased gets none. The year is over: CheckOver. progress, unless nil, is called with the
// number of donors checked, including those who had a statement.
func (d Issuer) Issue(ctx context.Context, entity org.LegalEntity, year int, progress func(more int)) (Tally, error) {
	t, err := d.Count(ctx, entity, year)
	if err != nil {
		return t, err
	}
	for after := uuid.Nil; ; {
		ids, err := donation.DonorsInYear(ctx, d.DB, entity.ID, year, after, batchSize)
		if err != nil || len(ids) == 0 {
			if err == nil {
				t.Corrected, err = d.Correct(ctx, entity, year, time.Time{})
			}
			return t, err
		}
		n, err := d.issueBatch(ctx, entity, year, ids)
		if err != nil {
			return t, err
		}
		t.Issued += n
		if after = ids[len(ids)-1]; progress != nil {
			progress(len(ids))
		}
	}
}

func (d Issuer) issueBatch(ctx context.Context, entity org.LegalEntity, year int, ids []uuid.UUID) (issued int, err error) {
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, d.DB, func(tx *sqlx.Tx) error {
		if err := donor.LockTx(ctx, tx, ids); err != nil {
			return err
		}
		has, err := withStatement(ctx, tx, year, ids)
		if err != nil || len(has) == len(ids) {
			return err
		}
		donors, err := donor.ByIDs(ctx, tx, ids)
		if err != nil {
			return err
		}
		donors = slices.DeleteFunc(donors, func(o donor.Donor) bool { return has[o.ID] || o.IsErased() })
		issued, err = d.issueTx(ctx, tx, catalog, entity, year, donors, nil)
		return err
	})
	return issued, err
}

// issueTx issues the statements of donors from their donations as they are now. before holds the statements that they
// replace, by donor; a statement with the same figures is not issued, unless the one before lost its person, because it
// contained a gift of another donor. If nothing remains of the year's gifts, only a statement before is replaced. The
// caller has locked the donors before it read anything: a donation that moves at the same time moves before, or
// afterwards and takes the person from the statement.
func (d Issuer) issueTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity org.LegalEntity, year int,
	donors []donor.Donor, before map[uuid.UUID]Statement) (int, error) {
	now := d.Now() // read before the donations, so that a change in between is newer
	all, err := compose(ctx, tx, catalog, entity, year, donors)
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(s Statement) bool {
		was, corrects := before[s.DonorID]
		return !corrects && s.Facts.nothingRemains() || corrects && was.Person != nil && was.Facts.figures() == s.Facts.figures()
	})
	if len(all) == 0 {
		return 0, nil
	}
	for i := range all {
		all[i].ID, all[i].N, all[i].IssuedAt = d.NewID(), before[all[i].DonorID].N+1, now
	}
	return d.insertTx(ctx, tx, all)
}

// correctionOverlap is added to the range of a search for changed receipts: a transaction may commit this long after
// the statement was made.
const correctionOverlap = time.Hour

// Correct issues a new statement to each donor of the year whose receipts changed since a moment and whose figures
// differ, and returns how many it issued. It searches receipts, because a refund, a dispute that is lost or won and a
// donation that settled late all change one. It also searches donations that moved to another donor: that donor gets a
// statement, and the one before a new one, if gifts are left. A donor without a statement gets the first one, if
// something remains: nothing may have remained when the others were issued. It does nothing before those were.
func (d Issuer) Correct(ctx context.Context, entity org.LegalEntity, year int, since time.Time) (corrected int, err error) {
	first, err := firstIssue(ctx, d.DB, entity.ID, year)
	if err != nil || first == nil {
		return 0, err
	}
	if start := first.Add(-correctionOverlap); since.Before(start) {
		since = start
	}
	moved, err := owner.DonorsSince(ctx, d.DB, entity.ID, d.Measured(since))
	if err != nil {
		return 0, err
	}
	gifts, err := receipt.ChangedSince(ctx, d.DB, entity.ID, year, since)
	if err != nil || len(gifts)+len(moved) == 0 {
		return 0, err
	}
	ids, err := donation.DonorsOf(ctx, d.DB, gifts)
	if err != nil {
		return 0, err
	}
	ids = append(slices.DeleteFunc(ids, func(id uuid.UUID) bool { return slices.Contains(moved, id) }), moved...)
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return 0, err
	}
	for some := range slices.Chunk(ids, batchSize) {
		err := pg.InTx(ctx, d.DB, func(tx *sqlx.Tx) error {
			if err := donor.LockTx(ctx, tx, some); err != nil {
				return err
			}
			before, err := latest(ctx, tx, year, some)
			if err != nil {
				return err
			}
			donors, err := donor.ByIDs(ctx, tx, some)
			if err != nil {
				return err
			}
			donors = slices.DeleteFunc(donors, func(o donor.Donor) bool {
				_, has := before[o.ID]
				return !has && d.DryRun || o.IsErased() // a dry run of Issue has counted those without
			})
			n, err := d.issueTx(ctx, tx, catalog, entity, year, donors, before)
			corrected += n
			return err
		})
		if err != nil {
			return corrected, err
		}
	}
	return corrected, nil
}
