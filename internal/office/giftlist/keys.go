package giftlist

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// Query says which gifts a list of staff has: those of one entity that were charged, by all of what it names.
type Query struct {
	EntityID       uuid.UUID
	OrganisationID uuid.UUID   // uuid.Nil: of all
	Organisations  []uuid.UUID // all of the entity, or the one; a search by amount reads one after the other
	FundID         uuid.UUID   // uuid.Nil: of all; else amounts are the parts for this fund
	From, Until    time.Time   // charged at or after From, before Until; both zero: at any time
	Status         string      // empty: any; so are the next two
	Source         string
	Frequency      string
	Least, Most    int64       // of an amount between them, in minor units; 0: no bound
	Changed        []uuid.UUID // one of them; not nil: only these. ChangedGifts returns them
	Search         Search
}

// Search chooses gifts otherwise than by the time of their charge. Its zero value chooses all.
type Search struct {
	Donors []uuid.UUID // given by one of them; not nil: only these
	Gifts  []uuid.UUID // one of them; not nil: only these
	Amount int64       // of this amount, in minor units; 0: of any
	Payout string      // whose charge this payout includes
}

// Change is what happened to a gift's payment.
type Change string

// The changes.
const (
	Refunded Change = "refunded"
	Disputed Change = "disputed"
)

// kinds are the kinds of changes of a payment by Change.
var kinds = map[Change][]string{
	Refunded: {"refund"},
	Disputed: {"dispute withdrawn", "dispute won", "dispute lost"},
}

// ChangedGifts returns the gifts of an entity with a change that the reader may see.
func ChangedGifts(ctx context.Context, db sqlx.QueryerContext, entity uuid.UUID, c Change) ([]uuid.UUID, error) {
	const query = `/* giftlist.ChangedGifts */ SELECT office_changed_gifts($1, $2::text[])`
	gifts := []uuid.UUID{}
	err := sqlx.SelectContext(ctx, db, &gifts, query, entity, pq.StringArray(kinds[c]))
	return gifts, err
}

// Key is the place of a gift in a list.
type Key struct {
	ID        uuid.UUID `db:"id"`
	PublicRef string    `db:"public_ref"`
	ChargedAt time.Time `db:"charged_at"`
}

// cursor returns the place behind the gift.
func (k Key) cursor() Cursor { return Cursor{k.ChargedAt, k.ID} }

// mostScanned bounds how many gifts one page reads that its filter leaves out; mostAdded how many a total adds up, and
// mostAddedOfFund of a fund's list, where each gift costs a look at its parts.
const (
	mostScanned     = 20_000
	mostAdded       = 50_000
	mostAddedOfFund = 10_000
)

// The parameters of the queries: $1 entity, $2 from, $3 until, $4 organisation, $5 status, $6 source, $7 frequency, $8 fund, $9 what is
// searched for, $10 the gifts that changed, $11 and $12 the least and the most amount; then $13 and $14 the cursor, $15 how many, $16 the bound or the
// organisations. Totals have the bound in $13 and the organisations in $14.
const (
	keyColumns = `k.id, k.public_ref, k.charged_at`
	inPeriod   = `k.entity_id = $1 AND k.charged_at >= $2 AND k.charged_at < $3 AND `
	ofAll      = inPeriod + `$4::uuid IS NULL`
	ofOne      = inPeriod + `k.organisation_id = $4` // with its own index: the newest gifts of an entity may be those of others
	asked      = `($5::text IS NULL OR k.status = $5) AND ($6::text IS NULL OR k.source = $6) AND ($7::text IS NULL OR k.frequency = $7)
	   AND ($11::bigint IS NULL OR k.amount >= $11) AND ($12::bigint IS NULL OR k.amount <= $12)`
	matching   = asked + ` AND ` + partly + ` IS NOT NULL`
	withChange = ` AND ($10::uuid[] IS NULL OR k.id = ANY($10::uuid[]))`
	noSearch   = `$9::text IS NULL AND $10::uuid[] IS NULL`
	older      = `(k.charged_at, k.id) < ($13, $14)`
	newer      = `(k.charged_at, k.id) > ($13, $14)`
	descending = ` ORDER BY k.charged_at DESC, k.id DESC`
	ascending  = ` ORDER BY k.charged_at, k.id`
	partly     = `CASE WHEN $8::uuid IS NULL THEN k.amount ELSE (SELECT sum(f.amount) FROM gift_of_fund f WHERE f.fund_id = $8 AND f.donation_id = k.id) END`
	counted    = `count(*) AS gifts, coalesce(sum(k.part), 0)::bigint AS amount`
)

// The conditions of the searches.
const (
	byDonors = ` AND k.donor_id = ANY($9::uuid[])` + withChange
	byGifts  = ` AND k.id = ANY($9::uuid[])` + withChange
	byPayout = ` AND k.id IN (SELECT p.donation_id FROM gift_of_payout p WHERE p.entity_id = $1 AND p.payout_ref = $9)` + withChange
	byChange = ` AND $9::text IS NULL AND k.id = ANY($10::uuid[])`
)

// listQueries are the queries of a kind of list: of the gifts behind a place, of those before it, and of the total.
type listQueries struct{ next, before, total string }

func searching(within, condition string) listQueries {
	from := ` FROM gift_key k WHERE ` + within + ` AND ` + matching + condition
	return listQueries{
		`/* giftlist.Keys */ SELECT ` + keyColumns + from + ` AND ` + older + descending + ` LIMIT $15`,
		`/* giftlist.Keys */ SELECT ` + keyColumns + from + ` AND ` + newer + ascending + ` LIMIT $15`,
		`/* giftlist.Sum */ SELECT ` + counted + ` FROM (SELECT ` + partly + ` AS part` + from + ` LIMIT $13) k`,
	}
}

// withoutSearch reads the gifts in the order of an index, as many as the bound allows.
func withoutSearch(within string) listQueries {
	scan := func(place, order, bound string) string {
		return ` FROM (SELECT k.* FROM gift_key k WHERE ` + within + place + order + ` LIMIT ` + bound + `) k`
	}
	return listQueries{
		`/* giftlist.Keys */ SELECT ` + keyColumns + scan(` AND `+older, descending, `$16`) + ` WHERE ` + noSearch + ` AND ` + matching + descending + ` LIMIT $15`,
		`/* giftlist.Keys */ SELECT ` + keyColumns + scan(` AND `+newer, ascending, `$16`) + ` WHERE ` + noSearch + ` AND ` + matching + ascending + ` LIMIT $15`,
		`/* giftlist.Sum */ SELECT count(*) AS scanned, count(k.part) AS gifts, coalesce(sum(k.part), 0)::bigint AS amount
		   FROM (SELECT CASE WHEN ` + asked + ` THEN ` + partly + ` END AS part` + scan(``, ``, `$13`) + ` WHERE ` + noSearch + ` OFFSET 0) k`,
	}
}

// searchingAmount reads each organisation in the order of its index.
func searchingAmount(within string) listQueries {
	exactly := ` FROM gift_key k WHERE k.amount = $9::bigint AND ` + within + ` AND ` + matching + withChange
	each := func(place, order string) string {
		return ` FROM unnest($16::uuid[]) o CROSS JOIN LATERAL (SELECT k.*` + exactly + ` AND k.organisation_id = o` + place + order + ` LIMIT $15) k`
	}
	return listQueries{
		`/* giftlist.Keys */ SELECT ` + keyColumns + each(` AND `+older, descending) + descending + ` LIMIT $15`,
		`/* giftlist.Keys */ SELECT ` + keyColumns + each(` AND `+newer, ascending) + ascending + ` LIMIT $15`,
		`/* giftlist.Sum */ SELECT ` + counted + ` FROM (SELECT ` + partly + ` AS part` + exactly + ` AND k.organisation_id = ANY($14::uuid[]) LIMIT $13) k`,
	}
}

// kindsOfLists are the queries of each kind of list, of one organisation or of all.
type kindsOfLists struct{ newest, amount, donors, gifts, payout, changed listQueries }

func kindsWithin(within string) kindsOfLists {
	return kindsOfLists{
		newest: withoutSearch(within), amount: searchingAmount(within), donors: searching(within, byDonors), gifts: searching(within, byGifts),
		payout: searching(within, byPayout), changed: searching(within, byChange),
	}
}

var listsOfAll, listsOfOne = kindsWithin(ofAll), kindsWithin(ofOne)

// queries returns the queries of the list and the parameter $9.
func (q Query) queries() (listQueries, any) {
	kinds := listsOfAll
	if q.OrganisationID != uuid.Nil {
		kinds = listsOfOne
	}
	switch s := q.Search; {
	case s.Gifts != nil:
		return kinds.gifts, pg.UUIDs(s.Gifts)
	case s.Donors != nil:
		return kinds.donors, pg.UUIDs(s.Donors)
	case s.Payout != "":
		return kinds.payout, s.Payout
	case s.Amount != 0:
		return kinds.amount, s.Amount
	case q.Changed != nil:
		return kinds.changed, nil
	}
	return kinds.newest, nil
}

// isWithoutSearch reports whether the list has all gifts of its index, or those that its filters leave.
func (q Query) isWithoutSearch() bool {
	s := q.Search
	return s.Gifts == nil && s.Donors == nil && s.Payout == "" && s.Amount == 0 && q.Changed == nil
}

// isOfAmount reports whether the list is a search by amount.
func (q Query) isOfAmount() bool {
	s := q.Search
	return s.Gifts == nil && s.Donors == nil && s.Payout == "" && s.Amount != 0
}

// args returns the first twelve parameters.
func (q Query) args(searched any) []any {
	from, until := q.From, q.Until
	if from.IsZero() && until.IsZero() {
		from, until = earliest, latest
	}
	id := func(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }
	text := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	bound := func(minor int64) any {
		if minor == 0 {
			return nil
		}
		return minor
	}
	var change any
	if q.Changed != nil {
		change = pg.UUIDs(q.Changed)
	}
	return []any{q.EntityID, from, until, id(q.OrganisationID), text(q.Status), text(q.Source), text(q.Frequency), id(q.FundID), searched, change,
		bound(q.Least), bound(q.Most)}
}

// isEmpty reports whether what is searched for is nobody and nothing.
func (q Query) isEmpty() bool {
	none := func(ids []uuid.UUID) bool { return ids != nil && len(ids) == 0 }
	return none(q.Search.Gifts) || none(q.Search.Donors) || none(q.Changed)
}

// filters reports whether the list leaves out gifts that its index has.
func (q Query) filters() bool {
	return q.Status+q.Source+q.Frequency != "" || q.FundID != uuid.Nil || q.Least != 0 || q.Most != 0
}

// Keys returns the next gifts of a list, the newest first, at most limit, and the cursor of the following page; nil if this
// is the last one. A page may have fewer gifts and a following page: so many were left out that it stopped looking.
func Keys(ctx context.Context, tx *sqlx.Tx, q Query, after Cursor, limit int) (page []Key, next *Cursor, err error) {
	if after == (Cursor{}) {
		after = Cursor{latest, uuid.Max}
	}
	if page, err = q.keys(ctx, tx, true, after, limit+1); err != nil {
		return nil, nil, err
	}
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1].cursor()
		return page, &last, nil
	}
	if q.isWithoutSearch() && q.filters() {
		next, err = q.lastScanned(ctx, tx, after)
	}
	return page, next, err
}

// keys returns gifts behind a place of the list, or before it, the nearest first.
func (q Query) keys(ctx context.Context, tx *sqlx.Tx, behind bool, place Cursor, limit int) (keys []Key, err error) {
	if q.isEmpty() { // the planner would expect some, and read all gifts
		return nil, nil
	}
	of, searched := q.queries()
	query := of.before
	if behind {
		query = of.next
	}
	args := append(q.args(searched), place.At, place.ID, limit)
	switch {
	case q.isWithoutSearch():
		args = append(args, mostScanned)
	case q.isOfAmount():
		args = append(args, pg.UUIDs(q.Organisations))
	}
	err = tx.SelectContext(ctx, &keys, query, args...)
	return keys, err
}

// lastScanned returns the place of the last gift that keys has read; nil if it has read all.
func (q Query) lastScanned(ctx context.Context, tx *sqlx.Tx, after Cursor) (*Cursor, error) {
	const scanned = ` AND (k.charged_at, k.id) < ($5, $6)` + descending + ` OFFSET $7 LIMIT 1`
	const all = `/* giftlist.lastScanned */ SELECT ` + keyColumns + ` FROM gift_key k WHERE ` + ofAll + scanned
	const one = `/* giftlist.lastScanned */ SELECT ` + keyColumns + ` FROM gift_key k WHERE ` + ofOne + scanned
	query := all
	if q.OrganisationID != uuid.Nil {
		query = one
	}
	var last []Key
	err := tx.SelectContext(ctx, &last, query, append(q.args(nil)[:4], after.At, after.ID, mostScanned-1)...)
	if err != nil || len(last) == 0 {
		return nil, err
	}
	place := last[0].cursor()
	return &place, nil
}

// Total is how many gifts a list has and what they add up to, in minor units; of a fund's list the parts for the fund.
type Total struct {
	Gifts  int   `db:"gifts"`
	Amount int64 `db:"amount"`
	More   bool  `db:"-"` // the list is longer than what is added up: the total is not known
}

// Sum returns the total of a list.
func Sum(ctx context.Context, tx *sqlx.Tx, q Query) (t Total, err error) {
	if q.isEmpty() {
		return t, nil
	}
	of, searched := q.queries()
	most := mostAdded
	if q.FundID != uuid.Nil {
		most = mostAddedOfFund
	}
	args := append(q.args(searched), most+1)
	read := struct {
		Total
		Scanned int `db:"scanned"`
	}{}
	if q.isOfAmount() {
		args = append(args, pg.UUIDs(q.Organisations))
	}
	err = tx.GetContext(ctx, &read, of.total, args...)
	read.More = max(read.Scanned, read.Gifts) > most
	return read.Total, err
}

// Beside returns the gifts before and after a gift in a list; nil if there is none.
func Beside(ctx context.Context, tx *sqlx.Tx, q Query, of Key) (before, after *Key, err error) {
	first := func(behind bool) *Key {
		if err != nil {
			return nil
		}
		var keys []Key
		if keys, err = q.keys(ctx, tx, behind, of.cursor(), 1); len(keys) == 0 {
			return nil
		}
		return &keys[0]
	}
	return first(false), first(true), err
}

// ByKeys returns the gifts of a page, in its order.
func ByKeys(ctx context.Context, db sqlx.QueryerContext, page []Key) (gifts []Gift, err error) {
	const query = `/* giftlist.ByKeys */ SELECT ` + columns + ` FROM office_gift_rows($1::uuid[]) g`
	ids := make([]uuid.UUID, len(page))
	for i, k := range page {
		ids[i] = k.ID
	}
	err = sqlx.SelectContext(ctx, db, &gifts, query, pg.UUIDs(ids))
	slices.SortFunc(gifts, func(a, b Gift) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	if err != nil {
		return nil, err
	}
	return gifts, addDisputes(ctx, db, gifts)
}

// WalkKeys calls visit with each gift of a list, in its order. It holds one page of gifts in memory.
func WalkKeys(ctx context.Context, tx *sqlx.Tx, q Query, visit func(Gift) error) error {
	for after := (&Cursor{}); after != nil; {
		page, next, err := Keys(ctx, tx, q, *after, walkPage)
		if err != nil {
			return err
		}
		gifts, err := ByKeys(ctx, tx, page)
		if err != nil {
			return err
		}
		for _, g := range gifts {
			if err := visit(g); err != nil {
				return err
			}
		}
		after = next
	}
	return nil
}
