// Package donor owns the donors: one row per legal entity and email address, so that two charities never share a donor,
// and rows without an address for people who gave offline. What is typed into a form adds a donor but never changes
// one; only a paid donation does. donor knows about donations only that they were paid.
package donor

import (
	"cmp"
	"context"
	"sort"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/pg"
)

// Kind is what a donor is. Its values are in donor.kind.
type Kind string

// The kinds of donors.
const (
	Person       Kind = "person"
	Organisation Kind = "organisation"
)

// Donor is a person or an organisation as one legal entity knows them.
type Donor struct {
	ID               uuid.UUID `db:"id"`
	EntityID         uuid.UUID `db:"entity_id"`
	Kind             Kind      `db:"kind"`              // "" means Person when it is written
	Email            string    `db:"email"`             // lower case; unique within the entity; "" for none
	FirstName        string    `db:"first_name"`        // "" for an organisation
	LastName         string    `db:"last_name"`         // "" for an organisation
	OrganisationName string    `db:"organisation_name"` // "" for a person
	Language         string    `db:"language"`          // BCP 47 base language
	CreatedAt        time.Time `db:"created_at"`
	RecordedAt       time.Time `db:"recorded_at"` // by the database's clock; set by it, and read by ByEmails only
	Erased           bool      `db:"erased"`      // by an erasure that the database granted; read by ByIDs only

	contact.Details
	NewsConsentedAt *time.Time `db:"news_consented_at"` // nil if the donor wants no news
}

// FindOrAddTx returns the id of the entity's donor with d's address, and adds d if there is none. The whole address
// counts: another tag after a plus sign is another donor. A donor without an address is always added, because nothing
// shows whether the entity has the donor already.
//
// The donor found is locked against an erasure until the transaction ends. A donor who was erased meanwhile is not
// found: if the person gives again, a new donor is added. begin_gift of migration 00105 does the same for a form.
func FindOrAddTx(ctx context.Context, tx *sqlx.Tx, d Donor) (uuid.UUID, error) {
	const find = `/* donor.FindOrAddTx */ SELECT id FROM donor WHERE entity_id = $1 AND email = $2 FOR KEY SHARE`
	const add = `/* donor.FindOrAddTx */
		INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at, kind, organisation_name)
		VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9) ON CONFLICT (entity_id, email) DO NOTHING`
	var found []uuid.UUID
	if err := tx.SelectContext(ctx, &found, find, d.EntityID, d.Email); err != nil || len(found) > 0 {
		return first(found), err
	}
	done, err := tx.ExecContext(ctx, add, d.ID, d.EntityID, d.Email, d.FirstName, d.LastName, d.Language, d.CreatedAt,
		cmp.Or(d.Kind, Person), d.OrganisationName)
	if err != nil {
		return uuid.Nil, err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return d.ID, err
	}
	err = tx.SelectContext(ctx, &found, find, d.EntityID, d.Email) // another transaction added it
	return first(found), err
}

func first(ids []uuid.UUID) uuid.UUID {
	if len(ids) == 0 {
		return uuid.Nil
	}
	return ids[0]
}

// PaidGift is what a paid donation says about its donor.
type PaidGift struct {
	DonorID             uuid.UUID
	FirstName, LastName string // as typed with the gift
	OrganisationName    string // "" if a person gave
	Language            string
	News                bool // the donor consented to news with this gift
	At                  time.Time
}

// RecordPaidGiftsTx records paid donations. What it writes:
//
//	first_gift_at      the earliest
//	names, language    of the latest donation, unless the donor entered a profile
//	news_consented_at  set by the first donation with consent. A later donation without consent does not unset it, and a
//	                   donation from before the donor stopped the news does not set it again
func RecordPaidGiftsTx(ctx context.Context, tx *sqlx.Tx, gifts []PaidGift) error {
	const query = `/* donor.RecordPaidGiftsTx */
		WITH locked AS MATERIALIZED (SELECT id FROM donor WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE)
		UPDATE donor d
		   SET first_name = CASE WHEN d.said_at IS NULL THEN g.first_name ELSE d.first_name END,
		       last_name = CASE WHEN d.said_at IS NULL THEN g.last_name ELSE d.last_name END,
		       organisation_name = CASE WHEN d.said_at IS NULL AND d.kind = 'organisation' AND g.organisation_name <> ''
		                                THEN g.organisation_name ELSE d.organisation_name END,
		       language = CASE WHEN d.said_at IS NULL THEN g.language ELSE d.language END,
		       first_gift_at = least(d.first_gift_at, g.at),
		       news_consented_at = coalesce(d.news_consented_at, CASE WHEN g.news AND NOT EXISTS (SELECT 1 FROM donor_consent c
		           WHERE c.donor_id = d.id AND c.kind = 'news' AND NOT c.given AND c.at > g.at) THEN g.at END)
		  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[], $7::text[])
		       AS g (id, first_name, last_name, language, news, at, organisation_name)
		  JOIN locked USING (id)
		 WHERE d.id = g.id`
	if len(gifts) == 0 {
		return nil
	}
	latest, earliest := perDonor(gifts)
	rows := pg.NewColumns(7)
	for _, g := range latest {
		rows.Add(g.DonorID, g.FirstName, g.LastName, g.Language, g.News, earliest[g.DonorID], g.OrganisationName)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args()...)
	return err
}

// perDonor merges several donations of one donor into the latest one and returns them in the order of donor ids, so
// that two batches lock the same rows in the same order. earliest is the time of each donor's first donation among
// them.
func perDonor(gifts []PaidGift) (latest []PaidGift, earliest map[uuid.UUID]time.Time) {
	byID := make(map[uuid.UUID]PaidGift, len(gifts))
	earliest = make(map[uuid.UUID]time.Time, len(gifts))
	for _, g := range gifts {
		if first, ok := earliest[g.DonorID]; !ok || g.At.Before(first) {
			earliest[g.DonorID] = g.At
		}
		known, ok := byID[g.DonorID]
		if ok && known.At.After(g.At) {
			g, known = known, g
		}
		g.News = g.News || known.News
		byID[g.DonorID] = g
	}
	merged := make([]PaidGift, 0, len(byID))
	for _, g := range byID {
		merged = append(merged, g)
	}
	sort.Slice(merged, func(i, j int) bool { return merged[i].DonorID.String() < merged[j].DonorID.String() })
	return merged, earliest
}

// EraseUnpaidTx erases donors who never gave. The row remains, because donations that were begun refer to it, but it no
// longer says who the donor was.
func EraseUnpaidTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) error {
	const query = `/* donor.EraseUnpaidTx */
		UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', organisation_name = '', news_consented_at = NULL,
		       (` + contact.DetailColumns + `) = (` + contact.EmptyDetails + `)
		 WHERE id = ANY($1::uuid[]) AND first_gift_at IS NULL`
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(ids))
	return err
}
