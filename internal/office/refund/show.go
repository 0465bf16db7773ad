package refund

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Line is a refund as `konbit refunds list --json` shows it. It has no note, which may name a person.
type Line struct {
	Entity      string         `json:"entity"`
	Donation    *uuid.UUID     `json:"donation"` // null: no gift's
	Order       *uuid.UUID     `json:"order"`    // null: nobody ordered it here
	Refund      *string        `json:"refund"`   // null: Stripe has none yet
	Origin      Origin         `json:"origin"`
	Amount      int64          `json:"amount"` // in minor units
	Currency    money.Currency `json:"currency"`
	Reason      *Reason        `json:"reason"`
	RequestedBy *uuid.UUID     `json:"requested_by"`
	State       State          `json:"state"`
	Problem     *string        `json:"problem"`
	At          time.Time      `json:"at"`
	Booked      bool           `json:"booked"`
	Next        string         `json:"next"`
}

// Lines returns the output about refunds, in English. slugs are those of the entities.
func Lines(ctx context.Context, db *sqlx.DB, words *phrase.Catalogue, slugs map[uuid.UUID]string, f Filter) ([]Line, error) {
	var all []Listed
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) (err error) {
		all, err = List(ctx, tx, f)
		return err
	})
	lines := make([]Line, len(all))
	for i, l := range all {
		lines[i] = Line{
			Entity: slugs[l.EntityID], Donation: l.DonationID, Order: l.OrderID, Refund: l.RefundID, Origin: l.Origin,
			Amount: l.AmountMinor, Currency: l.Currency,
			Reason: l.Reason, RequestedBy: l.RequestedBy, State: l.State, Problem: l.Problem, At: l.At.UTC(), Booked: l.Booked,
			Next: words.T(phrase.English, l.NextKey()),
		}
	}
	return lines, err
}

// Print writes refunds for people.
func Print(to io.Writer, lines []Line) error {
	if len(lines) == 0 {
		_, err := fmt.Fprintln(to, "There is no refund.")
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT (UTC)\tENTITY\tAMOUNT\tSTATE\tMADE\tREFUND\tNEXT")
	for _, l := range lines {
		refund := "-"
		if l.Refund != nil {
			refund = *l.Refund
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.At.Format(time.RFC3339), l.Entity, money.New(l.Amount, l.Currency), l.State, l.Origin, refund, l.Next)
	}
	return w.Flush()
}
