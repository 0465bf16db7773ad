package migrations

import (
	"context"
	"database/sql"
	"fmt"
)

// To takes the database at ownerURL back to the schema of an earlier version, with the rows that fit it, as a program
// of that time would have left it. It is for tests: rows of what is newer are gone, and only Up gives the server's role
// its rights again.
func To(ctx context.Context, ownerURL string, version int64) error {
	db, err := sql.Open("postgres", ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	if _, err := provider.DownTo(ctx, version); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
