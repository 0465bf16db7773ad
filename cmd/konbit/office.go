package main

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"konbit/cmd/konbit/financecmd"
	"konbit/cmd/konbit/staffcmd"
	"konbit/internal/app"
	"konbit/internal/office/installation"
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
	db, err := pg.Open(ctx, config.database(database), 4)
	if err != nil {
		return err
	}
	defer db.Close()
	if slices.Contains(needs, needSecret) {
		if err := installation.Check(ctx, db, config.Keys()); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o := office{db: db, clocks: app.NewClocks(ctx, config.StripeAPIURL), config: config}
	if o.Office, err = app.NewOffice(config.Settings, db, o.clocks); err != nil {
		return err
	}
	return fn(o)
}

// lastYear returns the year before that of the business clock. Errors name it as an example.
func lastYear(ctx context.Context) int {
	config, _ := loadConfig() // the command itself reports what is wrong with the settings
	return app.NewClocks(ctx, config.StripeAPIURL).Business().Year() - 1
}

// database returns the address of the database that needDatabase or needOwner names.
func (c Config) database(of need) string {
	return map[need]string{needDatabase: c.DatabaseURL, needOwner: c.DatabaseOwnerURL}[of]
}

// openForStaff opens what the commands of package staffcmd work with.
func openForStaff(ctx context.Context, asOwner, withSite bool, fn func(staffcmd.Office) error) error {
	database := map[bool]need{false: needDatabase, true: needOwner}[asOwner]
	return withOffice(ctx, database, map[bool][]need{true: {needBase}}[withSite], func(o office) error {
		return fn(staffcmd.Office{Office: o.Office, DB: o.db, Clocks: o.clocks, Settings: o.config.Settings})
	})
}

// finance returns what the commands of package financecmd work with.
func finance() financecmd.Program {
	return financecmd.Program{ErrUse: errUse, Words: officeWords, PrintJSON: printJSON,
		Open: func(ctx context.Context, fn func(*sqlx.DB, app.Clocks) error) error {
			return withOffice(ctx, needDatabase, nil, func(o office) error { return fn(o.db, o.clocks) })
		}, OpenOwner: func(ctx context.Context, fn func(*sqlx.DB, app.Office) error) error {
			return withOffice(ctx, needOwner, nil, func(o office) error { return fn(o.db, o.Office) })
		}}
}
