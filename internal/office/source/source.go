// Package source lets finance see which other programs use a legal entity's account at the payment processor, and choose to
// ignore their payments. Package payment owns what is known of their sources, package donation books them:
//
//	another program's payment ──┬── in suspense, counted in the one task about its source
//	                            └── its source is ignored: 1010 / 1095, with its fee, refunds and disputes; no task
//
// A choice counts from then on. Payments that came before stay in suspense, and finance books them.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// ErrMark is the error that a mark cannot be ignored.
var ErrMark = errors.New("give one key of metadata, which is not Konbit's own, or one product's id")

var (
	key     = regexp.MustCompile(`^[^\s,]{1,40}$`) // of metadata; Stripe allows 40 characters
	product = regexp.MustCompile(`^prod_\w{1,64}$`)
	ours    = regexp.MustCompile(`^konbit_`)
)

// Mark returns the mark of payments with a key of metadata, or of a product; the other one is empty.
func Mark(metadata, productID string) (string, error) {
	switch {
	case productID == "" && key.MatchString(metadata) && !ours.MatchString(metadata):
		return "metadata " + metadata, nil
	case metadata == "" && product.MatchString(productID):
		return "product " + productID, nil
	}
	return "", ErrMark
}

// Choose records that payments of an entity with a mark are ignored from now on, or not any more. by is who chose.
func Choose(ctx context.Context, db *sqlx.DB, entity uuid.UUID, mark string, ignored bool, by string, now time.Time) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return payment.ChooseTx(ctx, tx, entity, mark, ignored, by, now) })
}

// Line is a source in the output of `konbit payments list --json`.
type Line struct {
	Entity   string       `json:"entity"` // slug
	Source   string       `json:"source"`
	Ignored  bool         `json:"ignored"`
	Payments int          `json:"payments"`
	Amount   money.Amount `json:"amount"` // the sum of the payments as they were made
	First    time.Time    `json:"first"`
	Last     time.Time    `json:"last"`
}

// List counts the payments of other programs by source. slugs are those of the entities; uuid.Nil is every entity.
func List(ctx context.Context, q sqlx.QueryerContext, slugs map[uuid.UUID]string, entity uuid.UUID) ([]Line, error) {
	totals, err := payment.SourceTotals(ctx, q, entity, "")
	lines := make([]Line, len(totals))
	for i, t := range totals {
		lines[i] = Line{slugs[t.EntityID], t.Name, t.Ignored, t.Payments, money.New(t.Minor, t.Currency), t.First.UTC(), t.Last.UTC()}
	}
	return lines, err
}

// Print writes the lines for people.
func Print(to io.Writer, lines []Line) error {
	if len(lines) == 0 {
		_, err := fmt.Fprintln(to, "Every payment has a mark of ours.")
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENTITY\tSOURCE\tBOOKED\tPAYMENTS\tAMOUNT\tFIRST (UTC)\tLAST (UTC)")
	for _, l := range lines {
		booked := "in suspense"
		if l.Ignored {
			booked = "ignored"
		}
		first, last := l.First.Format(time.DateOnly), l.Last.Format(time.DateOnly)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", l.Entity, l.Source, booked, l.Payments, l.Amount, first, last)
	}
	return w.Flush()
}
