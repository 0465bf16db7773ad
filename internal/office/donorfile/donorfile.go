// Package donorfile lists and finds donors for staff pages, and lists the gifts of one. It reads views and owns no table.
//
// Its queries run in staff.ReadTx: a project's staff see the donors of their project's gifts, and of these donors the
// project's gifts. A Scope narrows this further, to one organisation.
//
// Lists have pages with a cursor, never an offset. A list of found donors reads at most mostFound of them: a longer text
// finds fewer.
package donorfile

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Scope is whose donors are listed: of an entity, or of one of its organisations.
type Scope struct {
	EntityID       uuid.UUID
	OrganisationID uuid.NullUUID // not valid: of all
}

// Row is a donor with the sums of their gifts in a scope: settled gifts without what was returned.
type Row struct {
	ID               uuid.UUID `db:"id"`
	Kind             string    `db:"kind"`
	FirstName        string    `db:"first_name"` // names and address are empty after an erasure
	LastName         string    `db:"last_name"`
	OrganisationName string    `db:"organisation_name"`
	Email            string    `db:"email"`
	Erased           bool      `db:"erased"`

	Sums
}

// Name returns the donor's name: an organisation's, or a person's first and last name.
func (r Row) Name() string {
	if r.OrganisationName != "" {
		return r.OrganisationName
	}
	return strings.TrimSpace(r.FirstName + " " + r.LastName)
}

// Sums are what a donor gave, in minor units.
type Sums struct {
	Gifts    int        `db:"gifts"`
	All      int64      `db:"total"`
	ThisYear int64      `db:"this_year"`
	LastYear int64      `db:"last_year"`
	LastAt   *time.Time `db:"last_at"`  // when the newest gift was charged; nil: none was
	FirstAt  *time.Time `db:"first_at"` // when the oldest settled gift was charged; nil: none is settled
}

const columns = `r.id, r.kind, r.first_name, r.last_name, r.organisation_name, r.email, r.erased`

// Place is the place behind a donor in a list. The zero Place is the beginning.
type Place struct {
	At     time.Time `json:"at,omitzero"` // of the newest gift
	Gift   uuid.UUID `json:"gift,omitzero"`
	Last   string    `json:"last,omitempty"` // names
	Org    string    `json:"org,omitempty"`
	First  string    `json:"first,omitempty"`
	Donor  uuid.UUID `json:"donor,omitzero"`
	Behind bool      `json:"behind,omitempty"` // it is behind a donor found by words
}

var latest = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Newest returns the next donors in the order of their newest gift, newest first, at most limit, and the place of the
// following page; nil if this is the last.
func Newest(ctx context.Context, q sqlx.QueryerContext, s Scope, year int, after Place, limit int) (page []Row, next *Place, err error) {
	// Whether a gift is its donor's newest is read from the donor's gifts, however few the organisation has: OFFSET 0 keeps the condition out.
	const ofEntity = `/* donorfile.Newest */
		SELECT g.donor_id, g.charged_at, g.id FROM gift_key g
		 WHERE g.entity_id = $1 AND (g.charged_at, g.id) < ($2, $3)
		   AND NOT EXISTS (SELECT FROM (SELECT k.charged_at, k.id FROM gift_key k WHERE k.donor_id = g.donor_id OFFSET 0) l
		                    WHERE (l.charged_at, l.id) > (g.charged_at, g.id))
		 ORDER BY g.charged_at DESC, g.id DESC LIMIT $4`
	const ofOrganisation = `/* donorfile.Newest */
		SELECT g.donor_id, g.charged_at, g.id FROM gift_key g
		 WHERE g.organisation_id = $1 AND (g.charged_at, g.id) < ($2, $3)
		   AND NOT EXISTS (SELECT FROM (SELECT k.organisation_id, k.charged_at, k.id FROM gift_key k WHERE k.donor_id = g.donor_id OFFSET 0) l
		                    WHERE l.organisation_id = $1 AND (l.charged_at, l.id) > (g.charged_at, g.id))
		 ORDER BY g.charged_at DESC, g.id DESC LIMIT $4`
	query, of := ofEntity, s.EntityID
	if s.OrganisationID.Valid {
		query, of = ofOrganisation, s.OrganisationID.UUID
	}
	if after == (Place{}) || after.Behind {
		after = Place{At: latest, Gift: uuid.Max}
	}
	var found []struct {
		Donor uuid.UUID `db:"donor_id"`
		At    time.Time `db:"charged_at"`
		Gift  uuid.UUID `db:"id"`
	}
	if err := sqlx.SelectContext(ctx, q, &found, query, of, after.At, after.Gift, limit+1); err != nil {
		return nil, nil, err
	}
	if len(found) > limit {
		found = found[:limit]
		next = &Place{At: found[limit-1].At, Gift: found[limit-1].Gift}
	}
	ids := make([]uuid.UUID, len(found))
	for i, f := range found {
		ids[i] = f.Donor
	}
	page, err = rows(ctx, q, s, year, ids)
	return page, next, err
}

// mostFound is how many donors a search by words reads before it orders them.
const mostFound = 1000

// Find returns the next donors that a text finds, at most limit:
//
//	an email address     its donor
//	a receipt's number   the donor of its gift
//	other words          donors with, for each word, a word in their name, postal address or email address that begins with
//	                     it, in the order of their names; what follows an @ begins a domain
//
// In a project, a postal address is the donor's own, or one typed with a gift to the project. Case and accents do not
// matter. many reports that there are more than are read. A text without a letter or digit finds nothing.
func Find(ctx context.Context, q sqlx.QueryerContext, s Scope, text string, year int, after Place, limit int) (page []Row, next *Place, many bool, err error) {
	if address := email.Normalize(text); strings.Contains(address, "@") {
		if page, err = byEmail(ctx, q, s, address, year); err != nil || len(page) > 0 {
			return page, nil, false, err
		}
	}
	if r, err := receipt.ByNumberOf(ctx, q, s.EntityID, text); !fault.Is(err, fault.NotFound) {
		if err != nil {
			return nil, nil, false, err
		}
		page, err = byGift(ctx, q, s, r.DonationID, year)
		return page, nil, false, err
	}
	return byWords(ctx, q, s, text, year, after, limit)
}

func byEmail(ctx context.Context, q sqlx.QueryerContext, s Scope, address string, year int) ([]Row, error) {
	const query = `/* donorfile.Find */ SELECT r.id FROM donor_row r WHERE r.entity_id = $1 AND r.key = $2 AND r.email <> ''`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &ids, query, s.EntityID, address); err != nil {
		return nil, err
	}
	found, err := rows(ctx, q, s, year, ids)
	if s.OrganisationID.Valid {
		found = withGifts(found)
	}
	return found, err
}

func byGift(ctx context.Context, q sqlx.QueryerContext, s Scope, gift uuid.UUID, year int) ([]Row, error) {
	d, err := donation.ByID(ctx, q, gift)
	if err != nil || s.OrganisationID.Valid && s.OrganisationID.UUID != d.OrganisationID {
		return nil, err
	}
	return rows(ctx, q, s, year, []uuid.UUID{d.DonorID})
}

func byWords(
	ctx context.Context, q sqlx.QueryerContext, s Scope, text string, year int, after Place, limit int,
) (page []Row, next *Place, many bool, err error) {
	const query = `/* donorfile.Find */
		WITH found AS MATERIALIZED (SELECT office_find_donors($1, $2, $3, $4) AS id)
		SELECT ` + columns + `, (SELECT count(*) FROM found) >= $4 AS many
		  FROM found f JOIN donor_row r ON r.id = f.id
		 WHERE NOT $5 OR (r.last_name, r.organisation_name, r.first_name, r.id) > ($6, $7, $8, $9)
		 ORDER BY r.last_name, r.organisation_name, r.first_name, r.id LIMIT $10`
	if strings.IndexFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0 {
		return nil, nil, false, nil
	}
	var found []struct {
		Row
		Many bool `db:"many"`
	}
	err = sqlx.SelectContext(ctx, q, &found, query, s.EntityID, s.OrganisationID, text, mostFound, after.Behind, after.Last, after.Org, after.First,
		after.Donor, limit+1)
	if err != nil || len(found) == 0 {
		return nil, nil, false, err
	}
	many = found[0].Many
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		next = &Place{Last: last.LastName, Org: last.OrganisationName, First: last.FirstName, Donor: last.ID, Behind: true}
	}
	ids := make([]uuid.UUID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	page, err = rows(ctx, q, s, year, ids)
	return page, next, many, err
}

// withGifts returns the rows of donors with a gift in the scope.
func withGifts(all []Row) (some []Row) {
	for _, r := range all {
		if r.Gifts > 0 || r.LastAt != nil {
			some = append(some, r)
		}
	}
	return some
}

// rows returns donors with their sums, in the order of the ids.
func rows(ctx context.Context, q sqlx.QueryerContext, s Scope, year int, ids []uuid.UUID) ([]Row, error) {
	const query = `/* donorfile.rows */ SELECT ` + columns + ` FROM donor_row r WHERE r.entity_id = $1 AND r.id = ANY($2::uuid[])`
	if len(ids) == 0 {
		return nil, nil
	}
	var found []Row
	if err := sqlx.SelectContext(ctx, q, &found, query, s.EntityID, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	sums, err := SumsOf(ctx, q, s, year, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[uuid.UUID]Row, len(found))
	for _, r := range found {
		r.Sums = sums[r.ID]
		byID[r.ID] = r
	}
	all := make([]Row, 0, len(ids))
	for _, id := range ids {
		if r, ok := byID[id]; ok {
			all = append(all, r)
		}
	}
	return all, nil
}

// SumsOf returns what donors gave in a scope: in all, in a year and in the year before it.
func SumsOf(ctx context.Context, q sqlx.QueryerContext, s Scope, year int, donors []uuid.UUID) (map[uuid.UUID]Sums, error) {
	const query = `/* donorfile.SumsOf */
		SELECT g.donor_id, count(*) FILTER (WHERE g.status = 'settled') AS gifts,
		       coalesce(sum(g.amount - g.returned) FILTER (WHERE g.status = 'settled'), 0)::bigint AS total,
		       coalesce(sum(g.amount - g.returned) FILTER (WHERE g.status = 'settled' AND extract(year FROM g.tax_date) = $4), 0)::bigint AS this_year,
		       coalesce(sum(g.amount - g.returned) FILTER (WHERE g.status = 'settled' AND extract(year FROM g.tax_date) = $4 - 1), 0)::bigint AS last_year,
		       max(g.charged_at) AS last_at, min(g.charged_at) FILTER (WHERE g.status = 'settled') AS first_at
		  FROM office_gift_rows(ARRAY(SELECT k.id FROM gift_key k WHERE k.donor_id = ANY($2::uuid[]) AND k.entity_id = $1 AND ($3::uuid IS NULL OR k.organisation_id = $3))) g
		 GROUP BY g.donor_id`
	var found []struct {
		Donor uuid.UUID `db:"donor_id"`
		Sums
	}
	err := sqlx.SelectContext(ctx, q, &found, query, s.EntityID, pg.UUIDs(donors), s.OrganisationID, year)
	all := make(map[uuid.UUID]Sums, len(found))
	for _, f := range found {
		all[f.Donor] = f.Sums
	}
	return all, err
}

// Gift is a gift of a donor that was charged.
type Gift struct {
	ID             uuid.UUID      `db:"id"`
	OrganisationID uuid.UUID      `db:"organisation_id"`
	PlanID         uuid.NullUUID  `db:"plan_id"`
	PublicRef      string         `db:"public_ref"`
	Status         string         `db:"status"`
	AmountMinor    int64          `db:"amount"`
	ReturnedMinor  int64          `db:"returned"`
	Currency       money.Currency `db:"currency"`
	CreatedAt      time.Time      `db:"created_at"`
	ChargedAt      time.Time      `db:"charged_at"`
	FundIDs        pq.StringArray `db:"funds"` // in the order of the form
}

// GiftPlace is the place behind a gift of a donor. The zero GiftPlace is the beginning.
type GiftPlace struct {
	At time.Time `json:"at,omitzero"`
	ID uuid.UUID `json:"id,omitzero"`
}

// Gifts returns the next gifts of a donor in a scope, newest first by the time of the form, at most limit.
func Gifts(ctx context.Context, q sqlx.QueryerContext, s Scope, donor uuid.UUID, after GiftPlace, limit int) (page []Gift, next *GiftPlace, err error) {
	const query = `/* donorfile.Gifts */
		SELECT g.id, g.organisation_id, g.plan_id, g.public_ref, g.status, g.amount, g.returned, g.currency, g.created_at, g.charged_at, g.funds
		  FROM gift_row g
		 WHERE g.donor_id = $1 AND (g.created_at, g.id) < ($2, $3) AND g.entity_id = $4 AND ($5::uuid IS NULL OR g.organisation_id = $5) AND g.charged_at IS NOT NULL
		 ORDER BY g.created_at DESC, g.id DESC LIMIT $6`
	if after == (GiftPlace{}) {
		after = GiftPlace{latest, uuid.Max}
	}
	err = sqlx.SelectContext(ctx, q, &page, query, donor, after.At, after.ID, s.EntityID, s.OrganisationID, limit+1)
	if len(page) > limit {
		page = page[:limit]
		next = &GiftPlace{page[limit-1].CreatedAt, page[limit-1].ID}
	}
	return page, next, err
}
