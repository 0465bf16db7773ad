package statement

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// SoFarJob emails a donor what they gave so far in a year that is not over. It is no annual statement.
type SoFarJob struct {
	DonorID uuid.UUID `json:"donor_id"`
	Year    int       `json:"year"`
}

// Kind returns the job's name in the queue.
func (SoFarJob) Kind() string { return "statement_so_far_letter" }

// Queue returns the queue in which the job waits.
func (SoFarJob) Queue() jobs.QueueName { return jobs.Bulk }

// MailSoFar enqueues an email to every donor of an entity who gave in a year, with their gifts so far. It issues no
// annual statement. A donor gets no email who was erased, has no address, stopped emails with statements, has an annual
// statement of the year, or got everything back. A dry run counts the same donors. Called again, it sends another
// email: the gifts may have changed. progress is called with the number of donors checked.
func (d Issuer) MailSoFar(ctx context.Context, entity org.LegalEntity, year int, progress func(more int)) (Tally, error) {
	t, err := d.Count(ctx, entity, year)
	if err != nil {
		return t, err
	}
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return t, err
	}
	for after := uuid.Nil; ; {
		ids, err := donation.DonorsInYear(ctx, d.DB, entity.ID, year, after, batchSize)
		if err != nil || len(ids) == 0 {
			return t, err
		}
		err = pg.InTx(ctx, d.DB, func(tx *sqlx.Tx) error {
			due, err := soFarJobsTx(ctx, tx, catalog, entity, year, ids)
			if err == nil && !d.DryRun {
				err = d.Queue.EnqueueTx(ctx, tx, due...)
			}
			if err == nil {
				t.Mailed += len(due)
			}
			return err
		})
		if err != nil {
			return t, err
		}
		after = ids[len(ids)-1]
		progress(len(ids))
	}
}

func soFarJobsTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity org.LegalEntity, year int,
	ids []uuid.UUID) (due []jobs.Job, err error) {
	has, err := withStatement(ctx, tx, year, ids)
	if err != nil {
		return nil, err
	}
	wanting, err := donor.Wanting(ctx, tx, donor.KindStatements, ids)
	if err != nil {
		return nil, err
	}
	donors, err := donor.ByIDs(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	donors = slices.DeleteFunc(donors, func(o donor.Donor) bool { return has[o.ID] || !wanting[o.ID] || o.IsErased() || o.Email == "" })
	all, err := compose(ctx, tx, catalog, entity, year, donors)
	for _, s := range all {
		if !s.Facts.nothingRemains() {
			due = append(due, SoFarJob{s.DonorID, year})
		}
	}
	return due, err
}

// SoFar returns the statement of a job, with N = 0; nil if there is nothing to send any more.
func (d Issuer) SoFar(ctx context.Context, job SoFarJob) (*Statement, error) {
	donors, err := donor.ByIDs(ctx, d.DB, []uuid.UUID{job.DonorID})
	if err != nil || len(donors) == 0 || donors[0].IsErased() {
		return nil, err
	}
	s, err := d.ForDonor(ctx, donors[0], job.Year)
	if fault.Is(err, fault.NotFound) || err == nil && (s.N > 0 || s.Person == nil || s.Person.Email == "") {
		return nil, nil
	}
	return &s, err
}
