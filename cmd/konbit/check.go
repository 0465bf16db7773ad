package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/office/check"
)

// checked reads all checkers at one moment.
func checked(ctx context.Context, db *sqlx.DB) (found []check.Found, err error) {
	err = ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		found, err = check.Look(ctx, tx)
		return err
	})
	return found, err
}

// checkLine is a checker as `konbit ledger verify --json` shows it; no rows: the promise is kept.
type checkLine struct {
	Checker string     `json:"checker"`
	View    string     `json:"view"`
	Promise string     `json:"promise"`
	Count   int64      `json:"count"`
	Rows    []checkRow `json:"rows"` // the first of them
}

type checkRow struct {
	Entity  string     `json:"entity"` // slug; empty: the whole program's
	Subject string     `json:"subject"`
	Detail  string     `json:"detail"`
	Since   *time.Time `json:"since"`
}

func checkLines(entities []org.LegalEntity, found []check.Found) []checkLine {
	lines := make([]checkLine, len(found))
	for i, f := range found {
		lines[i] = checkLine{f.No, f.View, f.Promise, f.Count, []checkRow{}}
		for _, r := range f.Rows {
			lines[i].Rows = append(lines[i].Rows, checkRow{entityOf(entities, r), r.Subject, r.Detail, r.Since})
		}
	}
	return lines
}

// entityOf is the slug of the legal entity a row is about.
func entityOf(entities []org.LegalEntity, r check.Row) string {
	if at := slices.IndexFunc(entities, func(e org.LegalEntity) bool { return e.ID == r.EntityID.UUID }); at >= 0 && r.EntityID.Valid {
		return entities[at].Slug
	}
	return ""
}

func printChecked(w io.Writer, entities []org.LegalEntity, found []check.Found) {
	clean := 0
	for _, f := range found {
		if f.Count == 0 {
			clean++
			continue
		}
		fmt.Fprintf(w, "✗ it is not so that %s (%d in all)\n", f.Promise, f.Count)
		for _, r := range f.Rows {
			fmt.Fprintf(w, "    %s %s\n", entityOf(entities, r), r)
		}
	}
	fmt.Fprintf(w, "%d of %d checkers found nothing.\n", clean, len(found))
}
