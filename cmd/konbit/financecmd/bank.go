package financecmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Imported is what konbit import bank prints.
type Imported struct {
	Account  string         `json:"account"`
	Format   string         `json:"format"`
	Lines    int            `json:"lines"`   // booked lines of the file
	Added    int            `json:"added"`   // of these, not known before
	Pending  int            `json:"pending"` // not stored
	Matched  int            `json:"matched"` // by rules
	Warnings []bank.Warning `json:"warnings"`
	Stored   bool           `json:"stored"` // false: the same file was stored before, or --dry-run
}

// ImportBank is konbit import bank.
func (p Program) ImportBank() *cobra.Command {
	c := &cobra.Command{
		Use: "bank FILE --account SLUG", Args: cobra.ExactArgs(1), Short: "Store a bank's file (CSV, OFX, QFX, camt.053 or BAI2) and match what rules say",
		Long: "Stores the lines of FILE that are not known yet. A CSV file of an unknown layout is mapped once, on the account's page Files.\n" +
			"What is missing or does not balance is printed. Uses DATABASE_OWNER_URL; the audit log names the operator.",
	}
	slug := c.Flags().String("account", "", "the bank account (its slug)")
	dryRun := c.Flags().Bool("dry-run", false, "say what the file would add, and store nothing")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		raw, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("%w: %w", p.ErrUse, err)
		}
		return p.OpenOwner(c.Context(), func(db *sqlx.DB, office app.Office) error {
			account, err := p.account(c, db, *slug)
			if err != nil {
				return err
			}
			done, err := p.importBank(c, db, office, account, filepath.Base(args[0]), raw, *dryRun)
			if err != nil {
				return err
			}
			if *asJSON {
				return p.PrintJSON(c, done)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %s, %d lines, %d new, %d pending, %d matched by rules\n", done.Account, done.Format, done.Lines,
				done.Added, done.Pending, done.Matched)
			return p.printWarnings(c, done.Warnings)
		})
	}
	return c
}

func (p Program) printWarnings(c *cobra.Command, warnings []bank.Warning) error {
	words, err := p.Words()
	if err != nil {
		return err
	}
	for _, w := range warnings {
		var args []any
		for name, value := range w.Args {
			args = append(args, name, value)
		}
		fmt.Fprintln(c.OutOrStdout(), words.T(phrase.English, w.Phrase, args...))
	}
	return nil
}

func (p Program) account(c *cobra.Command, db *sqlx.DB, slug string) (bank.Account, error) {
	account, err := bank.AccountBySlug(c.Context(), db, slug)
	if fault.Is(err, fault.NotFound) {
		return account, fmt.Errorf("%w: --account %s: no bank account has this slug", p.ErrUse, slug)
	}
	return account, err
}

func (p Program) importBank(c *cobra.Command, db *sqlx.DB, office app.Office, account bank.Account, name string, raw []byte,
	dryRun bool) (done Imported, err error) {
	service := office.Bank
	service.Why = "konbit import bank"
	catalog, err := office.Catalog.Current(c.Context())
	if err != nil {
		return done, err
	}
	err = pg.InTx(c.Context(), db, func(tx *sqlx.Tx) error {
		r, err := bank.ReadFile(c.Context(), tx, account, name, raw, nil)
		if ask, order := bankfile.AsAsk(err); ask != nil || order != nil {
			return fmt.Errorf("%w: the columns of %s are not known yet: say once what they are, on the account's page Files", p.ErrUse, name)
		}
		if bad := bankfile.AsError(err); bad != nil || fault.Is(err, fault.Invalid) {
			return fmt.Errorf("%w: %s: %w", p.ErrUse, name, err)
		}
		if err != nil {
			return err
		}
		done = Imported{Account: account.Slug, Format: string(r.File.Format), Lines: len(r.Decision.New) + len(r.Decision.Known), Added: len(r.Decision.New),
			Pending: len(r.Decision.Pending), Warnings: append([]bank.Warning{}, r.Warnings...)}
		if dryRun || r.StoredAt != nil {
			return nil
		}
		stored, err := service.StoreFileTx(c.Context(), tx, catalog, r)
		if errors.Is(err, bank.ErrStored) {
			return nil
		}
		done.Stored = err == nil
		for _, a := range stored.Applied {
			done.Matched += a.Matched
		}
		return err
	})
	return done, err
}

// ProofPrinted is what konbit bank proof prints. Amounts are minor units.
type ProofPrinted struct {
	Account    string         `json:"account"`
	Month      string         `json:"month"`
	Currency   string         `json:"currency"`
	Opening    int64          `json:"opening"`
	Closing    int64          `json:"closing"`
	Stated     *int64         `json:"stated"` // closing of the bank's last statement of the month; null: no file has it
	Book       int64          `json:"book"`   // 1100
	Open       int64          `json:"open"`
	Aside      int64          `json:"aside"`
	Elsewhere  int64          `json:"elsewhere"`
	NotCleared int64          `json:"not_cleared"`
	Difference int64          `json:"difference"`
	Explained  int            `json:"explained"` // of a hundred
	Kinds      []bank.KindSum `json:"kinds"`
	OpenLines  []ProofLine    `json:"open_lines"`
	Waiting    []ProofItem    `json:"waiting"`
	Gaps       []ProofGap     `json:"gaps"`
}

// ProofLine is an open line.
type ProofLine struct {
	Day    string `json:"day"`
	Amount int64  `json:"amount"`
	Text   string `json:"text"`
}

// ProofItem is in the books and not on the statement.
type ProofItem struct {
	Item   string `json:"item"`
	Day    string `json:"day"`
	Amount int64  `json:"amount"`
}

// ProofGap is days of no statement, or a day on which the bank's balance differs.
type ProofGap struct {
	From   string `json:"from"`
	Until  string `json:"until"`
	Amount int64  `json:"amount"` // 0: days are missing
}

// BankProof is konbit bank proof.
func (p Program) BankProof() *cobra.Command {
	c := &cobra.Command{
		Use: "proof --account SLUG --month 2026-10", Args: cobra.NoArgs, Short: "The bank reconciliation of an account and month; fails if the books differ",
	}
	slug := c.Flags().String("account", "", "the bank account (its slug)")
	month := c.Flags().String("month", "", "the month, such as 2026-10")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		m, err := bank.ParseMonth(*month)
		if err != nil {
			return fmt.Errorf("%w: --month %s: write a month such as 2026-10", p.ErrUse, *month)
		}
		return p.Open(c.Context(), func(db *sqlx.DB, _ app.Clocks) error {
			account, err := p.account(c, db, *slug)
			if err != nil {
				return err
			}
			var proof bank.Proof
			err = ledger.ReadConsistent(c.Context(), db, func(tx *sqlx.Tx) (err error) {
				proof, err = bank.ProofOf(c.Context(), tx, account, m)
				return err
			})
			if err != nil {
				return err
			}
			printed := printedProof(proof)
			if *asJSON {
				err = p.PrintJSON(c, printed)
			} else {
				err = writeProof(c, proof)
			}
			if err == nil && proof.Sums.Difference != 0 {
				err = fmt.Errorf("the books differ from the statement by %s, which nothing explains", proof.Amount(proof.Sums.Difference))
			}
			return err
		})
	}
	return c
}

func printedProof(p bank.Proof) ProofPrinted {
	printed := ProofPrinted{Account: p.Account.Slug, Month: p.Month.String(), Currency: string(p.Account.Currency), Opening: p.Opening,
		Closing: p.Closing, Book: p.Book,
		Open: p.Sums.Open, Aside: p.Sums.Aside, Elsewhere: p.Sums.Elsewhere, NotCleared: p.Sums.NotCleared, Difference: p.Sums.Difference,
		Explained: p.Explained(),
		Kinds:     append([]bank.KindSum{}, p.Kinds...), OpenLines: []ProofLine{}, Waiting: []ProofItem{}, Gaps: []ProofGap{}}
	if p.Stated != nil {
		printed.Stated = &p.Stated.Closing
	}
	for _, n := range p.NotCleared {
		printed.Waiting = append(printed.Waiting, ProofItem{n.Kind + ":" + n.Ref, n.On.String(), n.Amount})
	}
	for _, g := range p.Gaps {
		if g.From == (ledger.Date{}) {
			g.From, g.Until = g.On, g.On
		}
		printed.Gaps = append(printed.Gaps, ProofGap{g.From.String(), g.Until.String(), g.Amount})
	}
	for _, l := range p.Open {
		printed.OpenLines = append(printed.OpenLines, ProofLine{l.BookedOn.String(), l.Amount, l.Text})
	}
	return printed
}

func writeProof(c *cobra.Command, p bank.Proof) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, minor int64) { fmt.Fprintf(w, "%s\t%s\t\n", what, p.Amount(minor).Decimal()) }
	row("opening", p.Opening)
	for _, k := range p.Kinds {
		kind := k.Kind
		if kind == "" {
			kind = "open"
		}
		row(fmt.Sprintf("%s (%d)", kind, k.Lines), k.Amount)
	}
	row("closing", p.Closing)
	row("in the books (1100)", p.Book)
	row("open lines", p.Sums.Open)
	row("set aside", p.Sums.Aside)
	row("booked on a day after the month", p.Sums.Elsewhere)
	row("not yet cleared", -p.Sums.NotCleared)
	row("unexplained", p.Sums.Difference)
	return w.Flush()
}
