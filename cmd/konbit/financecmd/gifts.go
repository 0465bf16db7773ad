package financecmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/office/giftimport"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// ImportedGifts is what konbit import gifts prints.
type ImportedGifts struct {
	Entity string        `json:"entity"`
	Rows   int           `json:"rows"`
	Bad    []ImportedRow `json:"bad"`    // rows that cannot be posted
	Doubts []ImportedRow `json:"doubts"` // rows to look at
	Posted int           `json:"posted"`
	Import int           `json:"import"` // its number; 0 with --dry-run
}

// ImportedRow is a row of the file, with what is to be said about it.
type ImportedRow struct {
	Line  int      `json:"line"`
	Texts []string `json:"texts"`
}

// ImportGifts is konbit import gifts.
func (p Program) ImportGifts() *cobra.Command {
	c := &cobra.Command{
		Use: "gifts FILE --entity SLUG", Args: cobra.ExactArgs(1), Short: "Post the gifts of a spreadsheet (CSV or XLSX)",
		Long: "Posts each row of FILE as a gift, all or none. What the columns are is what the headings seem to say, or what somebody said on the page\n" +
			"Imports of a file with the same headings. Rows that cannot be posted are printed with their line, field and how to mend it. The import can be\n" +
			"undone on its page. Uses DATABASE_OWNER_URL; the audit log names the operator.",
	}
	var o giftOptions
	c.Flags().StringVar(&o.entity, "entity", "", "the legal entity (its slug)")
	c.Flags().StringVar(&o.receivedOn, "received-on", "", "the day of rows that have none, such as 2026-10-28")
	c.Flags().StringVar(&o.fund, "fund", "", "the fund of rows that have none (its code)")
	c.Flags().BoolVar(&o.withoutBad, "without-bad", false, "post the rest when rows cannot be posted")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what each row will do, and store nothing")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		raw, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("%w: %w", p.ErrUse, err)
		}
		table, err := giftimport.ReadTable(raw)
		if err != nil {
			return fmt.Errorf("%w: %s: %s", p.ErrUse, filepath.Base(args[0]), p.text(err))
		}
		o.name, o.raw, o.table = filepath.Base(args[0]), raw, table
		return p.OpenOwner(c.Context(), func(db *sqlx.DB, office app.Office) error {
			done, err := p.importGifts(c, db, office, o)
			if *asJSON && len(done.Entity) > 0 {
				if printed := p.PrintJSON(c, done); printed != nil {
					return printed
				}
				return err
			}
			for _, r := range append(done.Bad, done.Doubts...) {
				fmt.Fprintf(c.OutOrStdout(), "line %d: %s\n", r.Line, strings.Join(r.Texts, " "))
			}
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "%s: %d rows, %d cannot be posted, %d to look at, %d posted\n",
					done.Entity, done.Rows, len(done.Bad), len(done.Doubts), done.Posted)
			}
			return err
		})
	}
	return c
}

type giftOptions struct {
	entity, receivedOn, fund, name string
	withoutBad, dryRun             bool
	raw                            []byte
	table                          giftimport.Table
}

// text returns what an error says in English.
func (p Program) text(err error) string {
	words, failed := p.Words()
	var known *fault.Error
	if failed != nil || !errors.As(err, &known) {
		return err.Error()
	}
	return words.T(phrase.English, known.Phrase, argsOf(known.Args)...)
}

func argsOf(args fault.Args) (all []any) {
	for name, value := range args {
		all = append(all, name, value)
	}
	return all
}

func (p Program) importGifts(c *cobra.Command, db *sqlx.DB, office app.Office, o giftOptions) (done ImportedGifts, err error) {
	catalog, err := office.Catalog.Current(c.Context())
	if err != nil {
		return done, err
	}
	entities, err := org.Entities(c.Context(), db)
	if err != nil {
		return done, err
	}
	var entity org.LegalEntity
	for _, e := range entities {
		if e.Slug == o.entity {
			entity = e
		}
	}
	if entity.Slug == "" {
		return done, fmt.Errorf("%w: --entity %s: no legal entity has this slug", p.ErrUse, o.entity)
	}
	mapping, err := giftimport.MappingOf(c.Context(), db, entity.ID, o.table)
	if err != nil {
		return done, err
	}
	for name, value := range map[string]string{giftimport.ReceivedOn: o.receivedOn, "fund": o.fund} {
		if value != "" {
			mapping.Defaults[name] = value
		}
	}
	words, err := p.Words()
	if err != nil {
		return done, err
	}
	if why := mapping.Problem(o.table); why != "" {
		return done, fmt.Errorf("%w: %s: %s", p.ErrUse, o.name, words.T(phrase.English, "office.import.error."+why))
	}
	checker := giftimport.Checker{Catalog: catalog, Entity: entity, Mapping: mapping, Today: ledger.DateOf(office.Imports.Now(), entity.Location())}
	rows := checker.Check(o.table)
	if err := checker.Look(c.Context(), db, rows); err != nil {
		return done, err
	}
	done = ImportedGifts{Entity: entity.Slug, Rows: len(rows), Bad: []ImportedRow{}, Doubts: []ImportedRow{}}
	for _, r := range rows {
		var texts []string
		for _, bad := range r.Bad {
			texts = append(texts, bad.Name+": "+words.T(phrase.English, bad.Phrase, argsOf(bad.Args)...))
		}
		if len(texts) > 0 {
			done.Bad = append(done.Bad, ImportedRow{r.Line, texts})
			continue
		}
		for _, d := range r.Doubts {
			texts = append(texts, words.T(phrase.English, "office.import.doubt."+d.Phrase, "line", d.Line, "gift", d.Gift))
		}
		if len(texts) > 0 {
			done.Doubts = append(done.Doubts, ImportedRow{r.Line, texts})
		}
	}
	if o.dryRun {
		return done, nil
	}
	if len(done.Bad) > 0 && !o.withoutBad || len(done.Bad) == len(rows) {
		return done, fmt.Errorf("%d rows cannot be posted, so nothing was; mend them, or add --without-bad", len(done.Bad))
	}
	return done, p.postGifts(c, db, office, entity, mapping, o, &done)
}

// postGifts stores the file, orders the import and runs it.
func (p Program) postGifts(c *cobra.Command, db *sqlx.DB, office app.Office, entity org.LegalEntity, m giftimport.Mapping, o giftOptions,
	done *ImportedGifts) error {
	ctx, service := c.Context(), office.Imports
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) (err error) {
		if done.Import, err = giftimport.UploadTx(ctx, tx, service.NewID(), entity.ID, o.name, o.raw, o.table); err != nil {
			return err
		}
		if err := giftimport.MapTx(ctx, tx, entity.ID, done.Import, m); err != nil {
			return err
		}
		return service.OrderTx(ctx, tx, entity.ID, done.Import, o.withoutBad)
	})
	if err != nil {
		return fmt.Errorf("%s: %s", o.name, p.text(err))
	}
	for {
		i, err := giftimport.ByN(ctx, db, entity.ID, done.Import)
		if err != nil {
			return err
		}
		switch done.Posted = i.Posted; i.State() {
		case giftimport.Running:
			if err := service.Run(ctx, i.ID); err != nil {
				return err
			}
		case giftimport.Ended:
			return nil
		case giftimport.Undoing:
			if err := service.Run(ctx, i.ID); err != nil {
				return err
			}
		default:
			return fmt.Errorf("import %d was not posted: %s", done.Import, i.Problem)
		}
	}
}
