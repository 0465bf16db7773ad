package giftlist

import (
	"context"
	"encoding/csv"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
	"konbit/internal/platform/sheet"
)

// csvColumns are the names of the columns, which do not change: programs read the file.
var csvColumns = []string{"gift", "charged_at", "tax_date", "status", "source", "frequency", "amount", "returned", "currency", "funds", "donor", "donor_kind",
	"first_name", "last_name", "organisation_name", "email"}

// WriteCSV writes the gifts of a list to w, as they are at one moment, with a row for each. funds are the codes of the
// funds. Rows are written while they are read: memory does not grow with the list. After an error, w has a part of it.
func WriteCSV(ctx context.Context, db *sqlx.DB, w io.Writer, f Filter, funds map[uuid.UUID]string) error {
	rows := csv.NewWriter(w)
	_ = rows.Write(csvColumns) // Error returns the first error
	row := make([]string, 0, len(csvColumns))
	err := ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		return Walk(ctx, tx, f, func(g Gift) error {
			row = g.cells(row[:0], funds)
			return rows.Write(row)
		})
	})
	if err != nil {
		return err
	}
	rows.Flush()
	return rows.Error()
}

// cells appends the cells of a gift. No spreadsheet takes one for a formula.
func (g Gift) cells(row []string, funds map[uuid.UUID]string) []string {
	taxDate := ""
	if g.TaxDate != nil {
		taxDate = g.TaxDate.String()
	}
	var parts strings.Builder
	for i, id := range g.Funds {
		if i > 0 {
			parts.WriteString("; ")
		}
		parts.WriteString(funds[id] + " " + money.New(g.Parts[i], g.Currency).Decimal())
	}
	row = append(row, g.ID.String(), g.ChargedAt.UTC().Format(time.RFC3339), taxDate, g.Status, g.Source, g.Frequency,
		money.New(g.AmountMinor, g.Currency).Decimal(),
		money.New(g.ReturnedMinor, g.Currency).Decimal(), string(g.Currency), parts.String(), g.DonorID.String(), g.DonorKind)
	for _, text := range []string{g.FirstName, g.LastName, g.OrganisationName, g.Email} {
		row = append(row, sheet.CSVText(text))
	}
	return row
}
