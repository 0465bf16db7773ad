package interchange

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/platform/money"
)

// Format is a plain-text accounting format.
type Format string

// The formats of a journal.
const (
	Hledger   Format = "hledger"
	Beancount Format = "beancount"
)

// Formats returns all formats.
func Formats() []Format { return []Format{Hledger, Beancount} }

// notation writes the parts of a journal in one format. Its methods are called in this order.
type notation interface {
	begin(now time.Time, currencies []money.Currency)
	declare(account string, currency money.Currency)
	transaction(r *ledger.Record, accounts []string) // an account for each line of r
	assertions(on ledger.Date)                       // once, before the first assert; after all transactions
	assert(account string, balance money.Amount)
	end(transactions int)
}

// endOfJournal is the last line, a comment in both formats.
const endOfJournal = "\n; end of the journal: %d transactions\n"

// ExportJournal writes all books, in one consistent snapshot, to w: declarations, every entry in the order of dates,
// and an assertion of the balance of each account of each fund. The last line is a comment that says how many
// transactions there are: without it, the file is incomplete. ExportJournal holds one entry in memory at a time. The
// same books and the same now give the same bytes. After an error, what w contains is not a valid journal.
func ExportJournal(ctx context.Context, db *sqlx.DB, w io.Writer, format Format, now time.Time) error {
	out := bufio.NewWriter(w) // keeps the first error of w for Flush
	var n notation
	switch format {
	case Hledger:
		n = hledger{out}
	case Beancount:
		n = &beancount{out: out}
	default:
		return fmt.Errorf("interchange: no journal format %q; there are %v", format, Formats())
	}
	if err := ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error { return writeJournal(ctx, tx, n, now) }); err != nil {
		return err
	}
	return out.Flush()
}

func writeJournal(ctx context.Context, tx *sqlx.Tx, n notation, now time.Time) error {
	names, err := Names(ctx, tx)
	if err != nil {
		return err
	}
	chart, err := ledger.Chart(ctx, tx)
	if err != nil {
		return err
	}
	balances, err := ledger.Balance(ctx, tx, names, ledger.Filter{})
	if err != nil {
		return err
	}
	n.begin(now, currencies(balances))
	for _, b := range balances {
		n.declare(accountName(chart, b.Entity, b.Fund, b.Account), b.Currency)
	}
	var accounts []string
	var last ledger.Date
	transactions := 0
	err = ledger.Walk(ctx, tx, names, func(r *ledger.Record) error {
		accounts = accounts[:0]
		for _, l := range r.Lines {
			accounts = append(accounts, accountName(chart, r.Entity, l.Fund, l.Account))
		}
		n.transaction(r, accounts)
		last = r.Date
		transactions++
		return nil
	})
	if err != nil {
		return err
	}
	if len(balances) > 0 {
		n.assertions(last.Next())
	}
	for _, b := range balances {
		n.assert(accountName(chart, b.Entity, b.Fund, b.Account), money.New(b.Amount, b.Currency))
	}
	n.end(transactions)
	return nil
}

// Names returns the slugs of all entities and the codes of all funds, for reports of the books.
func Names(ctx context.Context, q sqlx.QueryerContext) (ledger.Names, error) {
	entities, err := org.Entities(ctx, q)
	if err != nil {
		return ledger.Names{}, err
	}
	funds, err := fund.All(ctx, q)
	if err != nil {
		return ledger.Names{}, err
	}
	names := ledger.Names{Entities: make(map[uuid.UUID]string, len(entities)), Funds: make(map[uuid.UUID]string, len(funds))}
	for _, e := range entities {
		names.Entities[e.ID] = e.Slug
	}
	for _, f := range funds {
		names.Funds[f.ID] = f.Code
	}
	return names, nil
}

// accountName returns Root:Entity:Fund:code-Name. Slugs and codes are lower-case, so different ones stay different.
func accountName(chart map[ledger.Account]string, entity, fund string, a ledger.Account) string {
	return root(a) + ":" + capital(entity) + ":" + capital(fund) + ":" + string(a) + "-" + chart[a]
}

// root returns one of the five categories that both programs know. Memo accounts balance among themselves and are under
// Equity, where they change no other total.
func root(a ledger.Account) string {
	switch a[0] {
	case '1':
		return "Assets"
	case '2':
		return "Liabilities"
	case '4':
		return "Income"
	case '5', '6', '7':
		return "Expenses"
	default: // 3 net assets, 9 memo
		return "Equity"
	}
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func currencies(lines []ledger.Line) (used []money.Currency) {
	for _, l := range lines {
		used = append(used, l.Currency)
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// attribute is a name and a value beside a transaction.
type attribute struct{ name, value string }

// attributes returns where an entry comes from, without attributes that do not apply.
func attributes(r *ledger.Record) []attribute {
	all := []attribute{{"entry", r.ID.String()}, {"source", r.Source}, {"source-id", r.SourceID}, {"kind", r.Kind}}
	if r.FactDate != r.Date {
		all = append(all, attribute{"fact-date", r.FactDate.String()})
	}
	if r.Reverses != uuid.Nil {
		all = append(all, attribute{"reverses", r.Reverses.String()})
	}
	return all
}

// lineAttributes returns the dimensions of a line, in the order of their names, and its foreign amount and rate. They
// are text, not amounts: both programs would include a price in another currency in their balances. Without the prefix,
// a dimension called "date" would set the date of a posting in hledger.
func lineAttributes(l ledger.RecordLine) (all []attribute) {
	for _, name := range slices.Sorted(maps.Keys(l.Dimensions)) {
		all = append(all, attribute{"dimension-" + name, l.Dimensions[name]})
	}
	if l.Foreign != nil {
		all = append(all, attribute{"foreign-amount", l.Foreign.Amount.String()}, attribute{"foreign-rate", l.Foreign.Rate.String()})
	}
	return all
}
