package check

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// RunConsistent runs all checkers in one database snapshot.
func RunConsistent(ctx context.Context, db *sqlx.DB) (found []Found, err error) {
	err = ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		found, err = RunAll(ctx, tx)
		return err
	})
	return found, err
}

// Line is a checker in the output of `konbit ledger verify --json`. If it has no rows, its promise is true.
type Line struct {
	Checker string    `json:"checker"`
	View    string    `json:"view"`
	Promise string    `json:"promise"`
	Count   int64     `json:"count"`
	Rows    []LineRow `json:"rows"` // the first of Count
}

// LineRow is a row of a checker in that output.
type LineRow struct {
	Entity  string     `json:"entity"` // slug; empty if the row is about no single entity
	Subject string     `json:"subject"`
	Detail  string     `json:"detail"`
	Since   *time.Time `json:"since"`
}

// Lines returns the output about all checkers. slugs are those of the entities.
func Lines(slugs map[uuid.UUID]string, found []Found) []Line {
	lines := make([]Line, len(found))
	for i, f := range found {
		lines[i] = Line{f.No, f.View, f.Promise, f.Count, []LineRow{}}
		for _, r := range f.Rows {
			lines[i].Rows = append(lines[i].Rows, LineRow{slugs[r.EntityID.UUID], r.Subject, r.Detail, r.Since})
		}
	}
	return lines
}

// Print writes what the checkers found for people. slugs are those of the entities.
func Print(w io.Writer, slugs map[uuid.UUID]string, found []Found) {
	clean := 0
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
