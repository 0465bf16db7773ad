package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/office/check"
	"konbit/internal/office/figures"
	"konbit/internal/office/interchange"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

func ledgerCommand() *cobra.Command {
	return group("ledger", "The books", balanceCommand(), sealCommand(), verifyCommand())
}

func balanceCommand() *cobra.Command {
	c := &cobra.Command{Use: "balance", Short: "Every account's balance, fund by fund", Args: cobra.NoArgs}
	slug := c.Flags().String("org", "", "only the funds of this organisation (its slug)")
	asJSON := c.Flags().Bool("json", false, "print JSON, in minor units, debit positive")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			lines, err := interchange.Balances(c.Context(), db, *slug)
			if errors.Is(err, interchange.ErrNoOrganisation) {
				err = fmt.Errorf("%w: %w", errUse, err)
			}
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, lines)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ENTITY\tFUND\tACCOUNT\t\tBALANCE\t")
			for _, l := range lines {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%15s\t\n", l.Entity, l.Fund, l.Account, l.Name, money.New(l.Amount, l.Currency))
			}
			return w.Flush()
		})
	}
	return c
}

func verifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "verify", Short: "Recompute the books and their seals from the rows, and run the checkers; fails if a rule is broken", Args: cobra.NoArgs,
		Long: "Recomputes the books, the chains of their seals and the snapshots of balances from the stored rows. Then runs the checkers:\n" +
			"views that are empty while all payments, donations, entries, receipts and emails agree. It only reads, unless --rebuild is\n" +
			"given. With a million donations it takes minutes.",
	}
	rebuild := c.Flags().Bool("rebuild", false, "first compute the sums by month and by donor and year anew from the postings and the gifts")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	heads := c.Flags().StringArray("head", nil, "compare the chain with the head in a digest email, as ENTITY:N:HASH; may be repeated")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			expected, err := readHeads(entities, *heads)
			if err != nil {
				return err
			}
			if *rebuild {
				if err := errors.Join(ledger.RebuildMonths(c.Context(), db), figures.Rebuild(c.Context(), db)); err != nil {
					return err
				}
			}
			report, err := ledger.Verify(c.Context(), db, expected...)
			if err != nil {
				return err
			}
			found, err := check.RunConsistent(c.Context(), db)
			if err != nil {
				return err
			}
			if *asJSON {
				err = printJSON(c, verified{report, sealedChains(entities, report), check.Lines(org.Slugs(entities), found)})
			} else {
				printReport(c.OutOrStdout(), entities, report)
				check.Print(c.OutOrStdout(), org.Slugs(entities), found)
			}
			switch {
			case err != nil:
			case !report.OK():
				err = errors.New("the books break their rules")
			case len(check.Rows(found)) > 0:
				err = errors.New("the checkers found errors")
			}
			return err
		})
	}
	return c
}

// readHeads parses the values of --head.
func readHeads(entities []org.LegalEntity, texts []string) (heads []ledger.Head, err error) {
	for _, text := range texts {
		slug, head, _ := strings.Cut(text, ":")
		at := slices.IndexFunc(entities, func(e org.LegalEntity) bool { return e.Slug == slug })
		if at < 0 {
			return nil, fmt.Errorf("%w: --head %s: no legal entity has the slug %q", errUse, text, slug)
		}
		h, err := ledger.ParseHead(entities[at].ID, head)
		if err != nil {
			return nil, fmt.Errorf("%w: --head %s: %w", errUse, text, err)
		}
		heads = append(heads, h)
	}
	return heads, nil
}

func printReport(w io.Writer, entities []org.LegalEntity, report ledger.Report) {
	for _, f := range report.Findings {
		fmt.Fprintln(w, "✗ not true: "+f.String())
	}
	fmt.Fprintf(w, "%d entries with %d lines read.\n", report.Entries, report.Lines)
	for _, chain := range sealedChains(entities, report) {
		fmt.Fprintf(w, "Sealed: %s:%d:%s\n", chain.Entity, chain.Sealed, chain.Head)
	}
}

// verified is the output of `ledger verify --json`. Its chains have the form that --head takes.
type verified struct {
	ledger.Report
	Chains []sealedChain `json:"chains"`
	Checks []check.Line  `json:"checks"`
}

type sealedChain struct {
	Entity string `json:"entity"` // slug
	Sealed int64  `json:"sealed"`
	Head   string `json:"head"`
}

func sealedChains(entities []org.LegalEntity, report ledger.Report) []sealedChain {
	chains := []sealedChain{}
	for _, chain := range report.Chains {
		slug := chain.EntityID.String() // an entity that was deleted
		if at := slices.IndexFunc(entities, func(e org.LegalEntity) bool { return e.ID == chain.EntityID }); at >= 0 {
			slug = entities[at].Slug
		}
		chains = append(chains, sealedChain{slug, chain.Sealed, chain.Head})
	}
	return chains
}

func sealCommand() *cobra.Command {
	c := &cobra.Command{Use: "seal", Short: "Seal the entries that are not sealed yet; the workers do it every second", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			n, err := ledger.Seal(c.Context(), db)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, map[string]int{"sealed": n})
			}
			fmt.Fprintf(c.OutOrStdout(), "%d entries sealed.\n", n)
			return nil
		})
	}
	return c
}

// withDatabase opens the database of DATABASE_URL and runs fn.
func withDatabase(ctx context.Context, fn func(db *sqlx.DB) error) error {
	config, err := loadConfig(needDatabase)
	if err != nil {
		return err
	}
	db, err := pg.Open(ctx, config.DatabaseURL, 4)
	if err != nil {
		return err
	}
	defer db.Close()
	return fn(db)
}

func printJSON(c *cobra.Command, v any) error {
	encoder := json.NewEncoder(c.OutOrStdout())
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
