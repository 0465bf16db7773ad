package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"konbit/internal/books/org"
	"konbit/internal/office/statement"
)

// statementLine is the result for one entity in the output of `statements --json`.
type statementLine struct {
	Entity string `json:"entity"`
	Year   int    `json:"year"`
	statement.Tally
	Seconds float64 `json:"seconds"`
}

func statementsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "statements --year YEAR", Short: "Issue the annual statements of a year: each donor without one gets one by email", Args: cobra.NoArgs,
		Long: "Issues the annual statement of every donor who gave in the year, in the legal entity's time zone. The workers send the emails.\n" +
			"The command may be stopped and started again at any time: each donor gets one statement. Statements whose donations changed\n" +
			"since are corrected. The server does the same from 15 January to the end of April.",
	}
	year := c.Flags().Int("year", 0, "the year of the donations")
	slug := c.Flags().String("entity", "", "only of this legal entity (its slug)")
	dryRun := c.Flags().Bool("dry-run", false, "show what would be issued, change nothing")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !c.Flags().Changed("year") {
			return fmt.Errorf("%w: --year is needed, for example --year %d", errUse, time.Now().Year()-1)
		}
		if *year < 2000 || *year > time.Now().Year() {
			return fmt.Errorf("%w: --year %d: want the year of the donations, such as %d", errUse, *year, time.Now().Year()-1)
		}
		return withOffice(c.Context(), needDatabase, nil, func(o office) error {
			entities, err := org.Entities(c.Context(), o.db)
			if err != nil {
				return err
			}
			id, err := entityID(entities, *slug)
			if err != nil {
				return err
			}
			if *slug != "" {
				entities = slices.DeleteFunc(entities, func(e org.LegalEntity) bool { return e.ID != id })
			}
			lines := []statementLine{}
			for _, e := range entities {
				line, err := issueStatements(c, o.Statements, e, *year, *dryRun)
				if err != nil {
					return err
				}
				lines = append(lines, line)
			}
			if *asJSON {
				return printJSON(c, lines)
			}
			return printStatements(c.OutOrStdout(), lines, *dryRun)
		})
	}
	return c
}

func issueStatements(c *cobra.Command, statements statement.Issuer, e org.LegalEntity, year int, dryRun bool) (statementLine, error) {
	began := time.Now()
	t, err := statements.Count(c.Context(), e, year)
	if err == nil && !dryRun {
		b := &progress{name: e.Slug, all: t.Donors, began: began, to: os.Stderr, shown: terminal(os.Stderr)}
		t, err = statements.Issue(c.Context(), e, year, b.add)
		b.end()
	}
	return statementLine{e.Slug, year, t, time.Since(began).Seconds()}, err
}

func printStatements(to io.Writer, lines []statementLine, dryRun bool) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENTITY\tYEAR\tDONORS\tGIFTS\tBEFORE\tISSUED\tCORRECTED")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", l.Entity, l.Year, l.Donors, l.Gifts, l.Existing, l.Issued, l.Corrected)
	}
	if dryRun {
		fmt.Fprintln(w, "Nothing was changed.")
	}
	return w.Flush()
}

// progress shows a progress bar on a terminal. If the output is no terminal, it shows nothing.
type progress struct {
	name   string
	all, n int
	began  time.Time
	to     io.Writer
	shown  bool
}

// terminal reports whether f is a terminal.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// add counts more items and redraws the bar.
func (b *progress) add(more int) {
	b.n += more
	if !b.shown || b.all == 0 {
		return
	}
	width, full := 40, min(40*b.n/b.all, 40)
	fmt.Fprintf(b.to, "\r%-10s %s%s %d of %d, %s to go \x1b[K", b.name, strings.Repeat("█", full), strings.Repeat("·", width-full),
		b.n, b.all, (time.Since(b.began) * time.Duration(max(b.all-b.n, 0)) / time.Duration(max(b.n, 1))).Round(time.Second))
}

// end clears the line.
func (b *progress) end() {
	if b.shown {
		fmt.Fprint(b.to, "\r\x1b[K")
	}
}
