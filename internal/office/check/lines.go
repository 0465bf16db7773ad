package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/office/check"
)

// runCheckers runs all checkers in one database snapshot.
func runCheckers(ctx context.Context, db *sqlx.DB) (found []check.Found, err error) {
	err = ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		found, err = check.RunAll(ctx, tx)
		return err
	})
	return found, err
}

// checkLine is a checker in the output of `konbit ledger verify --json`. If it has no rows, its promise is true.
type checkLine struct {
	Checker string     `json:"checker"`
	View    string     `json:"view"`
	Promise string     `json:"promise"`
	Count   int64      `json:"count"`
	Rows    []checkRow `json:"rows"` // the first of Count
}

type checkRow struct {
	Entity  string     `json:"entity"` // slug; empty if the row is about no single entity
	Subject string     `json:"subject"`
	Detail  string     `json:"detail"`
	Since   *time.Time `json:"since"`
}

func checkLines(entities []org.LegalEntity, found []check.Found) []checkLine {
	slugs, lines := entitySlugs(entities), make([]checkLine, len(found))
	for i, f := range found {
		lines[i] = checkLine{f.No, f.View, f.Promise, f.Count, []checkRow{}}
		for _, r := range f.Rows {
			lines[i].Rows = append(lines[i].Rows, checkRow{slugs[r.EntityID.UUID], r.Subject, r.Detail, r.Since})
		}
	}
	return lines
}

func printCheckers(w io.Writer, entities []org.LegalEntity, found []check.Found) {
	slugs, clean := entitySlugs(entities), 0
	for _, f := range found {
		if f.Count == 0 {
			clean++
			continue
		}
		fmt.Fprintf(w, "✗ not true: %s (%d rows)\n", f.Promise, f.Count)
		for _, r := range f.Rows {
			fmt.Fprintf(w, "    %s %s\n", slugs[r.EntityID.UUID], r)
		}
	}
	fmt.Fprintf(w, "%d of %d checkers found nothing.\n", clean, len(found))
}
