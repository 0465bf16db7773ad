package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"konbit/internal/office/installation"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/pg"
	"konbit/migrations"
)

func migrateCommand() *cobra.Command {
	c := &cobra.Command{Use: "migrate", Short: "Migrate the database to this program's schema and set the rights of the server's role", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(needDatabase, needOwner)
		if err != nil {
			return err
		}
		role, err := roleOf(config.DatabaseURL)
		if err != nil {
			return err
		}
		if err := migrations.Up(c.Context(), config.DatabaseOwnerURL, role); err != nil {
			return err
		}
		changed, err := prepare(c.Context(), config)
		if err != nil {
			return err
		}
		version, err := migrations.Latest()
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, migrated{version, role})
		}
		fmt.Fprintf(c.OutOrStdout(), "The schema is at version %d; the role %s has its rights and owns no table.\n%s", version, role, changed)
		return nil
	}
	return c
}

// prepare limits the business clock, records the fingerprint of SECRET_KEY and BASE_URL, and fills the stock of one-time
// keys for erasures. It leaves out what needs a setting that is not set. It returns what it says about another address.
func prepare(ctx context.Context, config Config) (changed string, err error) {
	db, err := pg.Open(ctx, config.DatabaseOwnerURL, 1)
	if err != nil {
		return "", err
	}
	defer db.Close()
	if err := migrations.LimitClock(ctx, db.DB, config.StripeAPIURL != ""); err != nil {
		return "", err
	}
	changed, err = installation.Record(ctx, db, config.Keys(), config.BaseURL)
	if err != nil || config.Keys().IsEmpty() {
		return changed, err
	}
	_, err = privacy.Eraser{DB: db, Keys: config.Keys()}.Prepare(ctx, privacy.PadStock)
	return changed, err
}

// migrated is the output of `konbit migrate --json`.
type migrated struct {
	Version int64  `json:"version"`
	Role    string `json:"role"` // the server's role, whose rights were set
}

// roleOf returns the role in a database URL. It reports an error if there is none.
func roleOf(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.User.Username() == "" {
		return "", fmt.Errorf("DATABASE_URL names no role: want postgres://ROLE:password@host/database")
	}
	return u.User.Username(), nil
}
