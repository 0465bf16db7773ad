package app

import (
	"context"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"konbit/internal/office/installation"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/pg"
	"konbit/migrations"
)

// Migrate brings the database at ownerURL to this program's schema and gives the server's role its rights. Then it
// limits the business clock, records the fingerprint of SECRET_KEY and BASE_URL, and fills the stock of one-time keys
// for erasures. It leaves out what needs a setting that is not set. It returns a line of text if it recorded another
// address, and lines with what a superuser must run if the owner may not create the role in which staff pages read.
//
// It returns installation.ErrKey, and changes nothing, if the database has recorded another key: then ownerURL is
// probably the database of another installation, and these settings must not become its settings. Without a key it
// returns installation.ErrNoKey if a key is recorded and the settings would change the address or open the clock.
func Migrate(ctx context.Context, s Settings, ownerURL, serverRole string) (changed string, err error) {
	db, err := pg.Open(ctx, ownerURL, 1)
	if err != nil {
		return "", err
	}
	defer db.Close()
	if err := checkBefore(ctx, db, s); err != nil {
		return "", err
	}
	if err := migrations.Up(ctx, ownerURL, serverRole); err != nil {
		return "", err
	}
	if err := migrations.LimitClock(ctx, db.DB, s.StripeAPIURL != ""); err != nil {
		return "", err
	}
	changed, err = installation.Record(ctx, db, s.Keys(), s.BaseURL)
	if err != nil {
		return changed, err
	}
	missing, err := migrations.OfficeMissing(ctx, db.DB, serverRole)
	if len(missing) > 0 {
		changed += "Staff pages cannot read yet: the role of DATABASE_OWNER_URL may not create roles. Run as a superuser\n\n    " +
			strings.Join(missing, "\n    ") + "\n\nand then konbit migrate again.\n"
	}
	if err != nil || s.Keys().IsEmpty() {
		return changed, err
	}
	_, err = privacy.Eraser{DB: db, Keys: s.Keys()}.Prepare(ctx, privacy.PadStock)
	return changed, err
}

// checkBefore is installation.CheckOwner for a database that may have no tables yet.
func checkBefore(ctx context.Context, db *sqlx.DB, s Settings) error {
	err := installation.CheckOwner(ctx, db, s.Keys(), s.BaseURL, s.StripeAPIURL != "")
	var refused *pq.Error
	if errors.As(err, &refused) && refused.Code == pqerror.UndefinedTable {
		return nil
	}
	return err
}
