package payoutlist

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/payout"
)

// Kind says in what a report and these books differ. Its values are in the output of konbit payout compare --json.
type Kind string

// The kinds.
const (
	OnlyInReport  Kind = "only_in_report" // the payout or the transaction is not here
	OnlyHere      Kind = "only_here"      // the report has the payout, and not this transaction of it
	OtherPayout   Kind = "other_payout"   // here it is in another payout
	Twice         Kind = "twice"          // the report has it twice
	OtherGross    Kind = "gross"
	OtherFee      Kind = "fee"
	OtherNet      Kind = "net"
	OtherCurrency Kind = "currency"
	OtherCategory Kind = "category"
)

// Difference is one difference between a report and these books.
type Difference struct {
	Kind        Kind   `json:"kind"`
	Payout      string `json:"payout"`
	Transaction string `json:"transaction"`
	Line        int    `json:"line"`   // of the file; 0: the report does not have it
	Report      string `json:"report"` // what the report says; empty: nothing
	Here        string `json:"here"`   // what these books say; empty: nothing
}

// Comparison is what came of comparing a report with these books.
type Comparison struct {
	Rows        int          `json:"rows"`
	Payouts     int          `json:"payouts"`        // that the report names
	WithoutName int          `json:"without_payout"` // rows of no automatic payout; they are not compared
	Differences []Difference `json:"differences"`    // by payout and line
}

// linesHere is a payout's transactions here, by id.
type linesHere map[string]Line

// Compare compares a report with the payouts of an entity, or for uuid.Nil of all. A report that agrees has no difference.
func Compare(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, rows []ReportRow) (c Comparison, err error) {
	c = Comparison{Rows: len(rows), Differences: []Difference{}}
	named := map[string]bool{}
	var refs []string
	for _, r := range rows {
		if r.PayoutRef == "" {
			c.WithoutName++
		} else if !named[r.PayoutRef] {
			named[r.PayoutRef] = true
			refs = append(refs, r.PayoutRef)
		}
	}
	c.Payouts = len(refs)
	stored, err := payout.ByRefs(ctx, q, entity, refs)
	if err != nil {
		return c, err
	}
	here, own, err := linesOf(ctx, q, stored)
	if err != nil {
		return c, err
	}
	seen := map[string]bool{}
	var missing []ReportRow
	for _, r := range rows {
		if r.PayoutRef == "" {
			continue
		}
		if seen[r.TransactionID] {
			c.add(Twice, r, r.describe(), "")
			continue
		}
		seen[r.TransactionID] = true
		if line, found := here[r.PayoutRef][r.TransactionID]; found && line.Known() {
			c.compare(r, line)
		} else if line, found := own[r.PayoutRef][r.TransactionID]; found {
			c.compare(r, line)
		} else {
			missing = append(missing, r)
		}
	}
	if err := c.explain(ctx, q, entity, missing); err != nil {
		return c, err
	}
	for _, p := range stored {
		for id, line := range here[p.Ref] {
			if !seen[id] {
				c.Differences = append(c.Differences, Difference{Kind: OnlyHere, Payout: p.Ref, Transaction: id, Here: line.describe()})
			}
		}
	}
	slices.SortFunc(c.Differences, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.Payout, b.Payout), cmp.Compare(a.Line, b.Line), strings.Compare(a.Transaction, b.Transaction))
	})
	return c, nil
}

// compare adds the differences between a row and the same transaction here.
func (c *Comparison) compare(r ReportRow, l Line) {
	if r.Currency != l.Currency {
		c.add(OtherCurrency, r, string(r.Currency), string(l.Currency))
		return
	}
	for _, amount := range []struct {
		kind         Kind
		report, here int64
	}{{OtherGross, r.Gross, l.Gross}, {OtherFee, r.Fee, l.Fee}, {OtherNet, r.Net, l.Net}} {
		if amount.report != amount.here {
			c.add(amount.kind, r, decimal(amount.report, r.Currency), decimal(amount.here, l.Currency))
		}
	}
	if !mayBe(l, r.Category) {
		c.add(OtherCategory, r, r.Category, strings.Join(categoriesOf(l), ", "))
	}
}

func (c *Comparison) add(kind Kind, r ReportRow, report, here string) {
	c.Differences = append(c.Differences, Difference{kind, r.PayoutRef, r.TransactionID, r.Line, report, here})
}

// explain adds the rows whose transaction is not in their payout here: it may be in another one.
func (c *Comparison) explain(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, missing []ReportRow) error {
	const query = `/* payoutlist.explain */
		SELECT transaction_id, payout_ref FROM payout_line
		 WHERE transaction_id = ANY($1) AND ($2::uuid = '00000000-0000-0000-0000-000000000000' OR entity_id = $2) AND type IS NOT NULL`
	ids := make([]string, len(missing))
	for i, r := range missing {
		ids[i] = r.TransactionID
	}
	var found []struct {
		ID  string `db:"transaction_id"`
		Ref string `db:"payout_ref"`
	}
	if len(ids) > 0 {
		if err := sqlx.SelectContext(ctx, q, &found, query, pq.Array(ids), entity); err != nil {
			return err
		}
	}
	others := map[string]string{}
	for _, f := range found {
		others[f.ID] = f.Ref
	}
	for _, r := range missing {
		if other := others[r.TransactionID]; other != "" && other != r.PayoutRef {
			c.add(OtherPayout, r, r.PayoutRef, other)
		} else {
			c.add(OnlyInReport, r, r.describe(), "")
		}
	}
	return nil
}

// linesOf returns the transactions of some payouts, and the payouts' own ones, by the payout's id at the processor.
func linesOf(ctx context.Context, q sqlx.QueryerContext, payouts []payout.Stored) (here, own map[string]linesHere, err error) {
	const lines = `/* payoutlist.linesOf */ SELECT payout_id, ` + lineColumns + ` FROM payout_line WHERE payout_id = ANY($1::uuid[])`
	const owns = `/* payoutlist.linesOf */
		SELECT payout_id, transaction_id, type, '' AS source_id, amount, fee, net, currency, created_at, '' AS charge_ref FROM payout_transaction
		 WHERE payout_id = ANY($1::uuid[])`
	ids, refs := make([]uuid.UUID, len(payouts)), map[uuid.UUID]string{}
	for i, p := range payouts {
		ids[i], refs[p.ID] = p.ID, p.Ref
	}
	var members, themselves []lineOfPayout
	if err := sqlx.SelectContext(ctx, q, &members, lines, pg.UUIDs(ids)); err != nil {
		return nil, nil, err
	}
	if err := sqlx.SelectContext(ctx, q, &themselves, owns, pg.UUIDs(ids)); err != nil {
		return nil, nil, err
	}
	return byRef(members, refs), byRef(themselves, refs), nil
}

type lineOfPayout struct {
	PayoutID uuid.UUID `db:"payout_id"`
	Line
}

func byRef(lines []lineOfPayout, refs map[uuid.UUID]string) map[string]linesHere {
	all := map[string]linesHere{}
	for _, l := range lines {
		ref := refs[l.PayoutID]
		if all[ref] == nil {
			all[ref] = linesHere{}
		}
		all[ref][l.ID] = l.Line
	}
	return all
}

// describe returns what a row is, in one line: "20.00 USD, charge".
func (r ReportRow) describe() string {
	return decimal(r.Net, r.Currency) + " " + string(r.Currency) + ", " + r.Category
}

func (l Line) describe() string {
	if !l.Known() {
		return ""
	}
	return decimal(l.Net, l.Currency) + " " + string(l.Currency) + ", " + l.Type
}

func decimal(minor int64, c money.Currency) string { return money.New(minor, c).Decimal() }
