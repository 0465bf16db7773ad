package main

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/app"
	"konbit/internal/platform/pg"
)

// office is what commands of finance staff work with.
type office struct {
	app.Office
	db     *sqlx.DB
	clocks app.Clocks
	config Config
}

// withOffice reads the settings and runs fn with the office's services. database is needDatabase (the server's role) or
// needOwner; needs are the other settings that the command requires.
func withOffice(ctx context.Context, database need, needs []need, fn func(o office) error) error {
	config, err := loadConfig(append([]need{database}, needs...)...)
	if err != nil {
		return err
	}
	url := config.DatabaseURL
	if database == needOwner {
		url = config.DatabaseOwnerURL
	}
	db, err := pg.Open(ctx, url, 4)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o := office{db: db, clocks: app.NewClocks(ctx, config.StripeAPIURL), config: config}
	if o.Office, err = app.NewOffice(config.Settings, db, o.clocks); err != nil {
		return err
	}
	return fn(o)
}
