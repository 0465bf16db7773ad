// Package financecmd has commands of finance staff: konbit payout, konbit export all, konbit import bank and konbit bank proof.
package financecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/books/org"
	"konbit/internal/office/payoutlist"
	"konbit/internal/office/takeout"
	"konbit/internal/platform/phrase"
)

// Program is what the commands need of the program.
type Program struct {
	// Open reads the settings and runs fn as the server's role.
	Open func(ctx context.Context, fn func(db *sqlx.DB, clocks app.Clocks) error) error
	// OpenOwner runs fn as the owner's role, as an operator.
	OpenOwner func(ctx context.Context, fn func(db *sqlx.DB, office app.Office) error) error
	Words     func() (*phrase.Catalogue, error) // of the office
	ErrUse    error                             // marks wrong use
	PrintJSON func(c *cobra.Command, v any) error
}

// Compare is konbit payout compare.
func (p Program) Compare() *cobra.Command {
	c := &cobra.Command{
		Use: "compare FILE", Args: cobra.ExactArgs(1), Short: "Compare Stripe's payout reconciliation report (CSV) with the payouts here; fails if they differ",
		Long: "Lists every difference between the report and these books: a transaction that only one of them has, in another payout, or with another\n" +
			"amount, fee, currency or category. FILE may be - for the standard input. Exit status 1 if there is a difference.",
	}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		rows, err := p.readReport(c.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		return p.Open(c.Context(), func(db *sqlx.DB, _ app.Clocks) error {
			found, err := payoutlist.Compare(c.Context(), db, uuid.Nil, rows)
			if err != nil {
				return err
			}
			if *asJSON {
				err = p.PrintJSON(c, found)
			} else {
				err = payoutlist.Print(c.OutOrStdout(), found)
			}
			if n := len(found.Differences); err == nil && n > 0 {
				err = fmt.Errorf("the report and these books differ (differences: %d)", n)
			}
			return err
		})
	}
	return c
}

// readReport reads a report from a file, or from in for "-". A file that is no report is wrong use.
func (p Program) readReport(in io.Reader, path string) ([]payoutlist.ReportRow, error) {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", p.ErrUse, err)
		}
		defer file.Close()
		in = file
	}
	rows, err := payoutlist.ReadReport(in)
	var bad *payoutlist.ReportError
	if errors.As(err, &bad) {
		err = fmt.Errorf("%w: %s: %w", p.ErrUse, path, err)
	}
	return rows, err
}

// ExportAll is konbit export all.
func (p Program) ExportAll() *cobra.Command {
	c := &cobra.Command{
		Use: "all --entity SLUG [--to FILE.zip|DIRECTORY]", Args: cobra.NoArgs, Short: "All donors, gifts and recurring gifts of a legal entity, as CSV files",
		Long: "Writes donors, gifts, designations, receipts, recurring gifts and their designations as CSV, with a README.txt that explains each column:\n" +
			"as one archive to the standard output or to --to FILE.zip, or into --to DIRECTORY. Each file ends with the number of its rows.",
	}
	slug := c.Flags().String("entity", "", "the legal entity (its slug)")
	to := c.Flags().String("to", "", "an archive that ends in .zip, or a directory; none: an archive to the standard output")
	asJSON := c.Flags().Bool("json", false, "print the numbers of rows as JSON; with --to")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *to == "" && (*asJSON || isTerminal(c.OutOrStdout())) {
			return fmt.Errorf("%w: choose --to FILE.zip or --to DIRECTORY, or send the archive to a file (konbit export all --entity %s > all.zip)",
				p.ErrUse, *slug)
		}
		return p.Open(c.Context(), func(db *sqlx.DB, clocks app.Clocks) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			entity := uuid.Nil
			for _, e := range entities {
				if e.Slug == *slug {
					entity = e.ID
				}
			}
			if entity == uuid.Nil {
				return fmt.Errorf("%w: --entity %s: no legal entity has this slug", p.ErrUse, *slug)
			}
			sink, end, err := openSink(c.OutOrStdout(), *to, clocks)
			if err != nil {
				return err
			}
			written, err := takeout.Write(c.Context(), db, entity, sink, func(w takeout.Written) {
				fmt.Fprintf(c.ErrOrStderr(), "%s: %d rows\n", w.Name, w.Rows)
			})
			if ended := end(err == nil); err == nil {
				err = ended
			}
			if err == nil && *asJSON {
				err = p.PrintJSON(c, written)
			}
			return err
		})
	}
	return c
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// openSink returns where the files are written, and what ends it: whole or not.
func openSink(out io.Writer, to string, clocks app.Clocks) (sink takeout.Sink, end func(whole bool) error, err error) {
	if to != "" && !strings.HasSuffix(to, ".zip") {
		sink, err = takeout.Directory(to)
		return sink, func(bool) error { return nil }, err
	}
	closeFile := func() error { return nil }
	if to != "" {
		file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
		if err != nil {
			return nil, nil, err
		}
		out, closeFile = file, file.Close
	}
	sink, endArchive := takeout.Zip(out, clocks.Business())
	return sink, func(whole bool) error {
		if !whole { // an archive that cannot be opened shows that it is cut
			return closeFile()
		}
		return errors.Join(endArchive(), closeFile())
	}, nil
}
