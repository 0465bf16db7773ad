package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/office/statement"
)

func statementsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "statements --year YEAR", Short: "Issue the annual statements of a year: each donor without one gets one by email", Args: cobra.NoArgs,
		Long: "Issues the annual statement of every donor who gave in the year, in the legal entity's time zone, when that calendar year is over\n" +
			"there. The workers send the emails. The command may be stopped and started again at any time: each donor gets one statement.\n" +
			"Statements whose donations changed since are corrected. The server does the same from 15 January to the end of April.\n" +
			"With --so-far each donor of whose gifts something remains gets an email with them; no annual statement is issued.",
	}
	ask := statementsAsk{}
	c.Flags().IntVar(&ask.year, "year", 0, "the year of the donations")
	c.Flags().StringVar(&ask.slug, "entity", "", "only of this legal entity (its slug)")
	c.Flags().BoolVar(&ask.soFar, "so-far", false, "email the gifts so far of a year that is not over; no annual statement is issued")
	c.Flags().BoolVar(&ask.dryRun, "dry-run", false, "show what would be issued, change nothing")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !c.Flags().Changed("year") {
			return fmt.Errorf("%w: --year is needed, for example --year %d", errUse, lastYear(c.Context()))
		}
		if ask.year < 2000 {
			return fmt.Errorf("%w: --year %d: want the year of the donations, such as %d", errUse, ask.year, lastYear(c.Context()))
		}
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			lines, err := ask.issue(c, o)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(c, lines)
			}
			return statement.Print(c.OutOrStdout(), lines, ask.dryRun)
		})
	}
	return c
}

type statementsAsk struct {
	year          int
	slug          string
	soFar, dryRun bool
}

// issue issues the statements of the entities that are asked for, or of none: it first checks the year for all of them.
func (a statementsAsk) issue(c *cobra.Command, o office) ([]statement.Line, error) {
	entities, err := org.Entities(c.Context(), o.db)
	if err != nil {
		return nil, err
	}
	id, err := entityID(entities, a.slug)
	if err != nil {
		return nil, err
	}
	if a.slug != "" {
		entities = slices.DeleteFunc(entities, func(e org.LegalEntity) bool { return e.ID != id })
	}
	for _, e := range entities {
		over := statement.CheckOver(e, a.year, o.clocks.Business())
		if over != nil && !a.soFar {
			return nil, fmt.Errorf("%w: %w; --so-far emails the gifts so far", errUse, over)
		}
		if over == nil && a.soFar {
			return nil, fmt.Errorf("%w: --so-far: %d is over for %s: leave --so-far out", errUse, a.year, e.Slug)
		}
	}
	lines := []statement.Line{}
	for _, e := range entities {
		line, err := a.issueFor(c, o.Statements, e)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (a statementsAsk) issueFor(c *cobra.Command, statements statement.Issuer, e org.LegalEntity) (statement.Line, error) {
	began := time.Now()
	t, err := statements.Count(c.Context(), e, a.year)
	if err == nil {
		statements.DryRun = a.dryRun
		b := &statement.Progress{Name: e.Slug, All: t.Donors, Began: began, Now: time.Now, To: os.Stderr, Shown: terminal(os.Stderr)}
		do := statements.Issue
		if a.soFar {
			do = statements.MailSoFar
		}
		t, err = do(c.Context(), e, a.year, b.Add)
		b.End()
	}
	return statement.Line{Entity: e.Slug, Year: a.year, SoFar: a.soFar, Tally: t, Seconds: time.Since(began).Seconds()}, err
}

// terminal reports whether f is a terminal.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
