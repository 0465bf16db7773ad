package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/installation"
	"konbit/internal/office/privacy"
)

// installation reports whether SECRET_KEY and BASE_URL are those of the other servers, and whether an old key is still
// needed.
func (d *Doctor) installation(ctx context.Context, db *sqlx.DB) {
	known, err := installation.Read(ctx, db)
	if err != nil {
		d.Report("SECRET_KEY", err)
		return
	}
	if err := known.CheckKey(d.Settings.Keys()); err != nil {
		d.Report("SECRET_KEY", err)
	} else {
		d.Note("SECRET_KEY", d.describeKeys(known))
	}
	d.Report("BASE_URL", known.CheckAddress(d.Settings.BaseURL))
	d.Report("sealed with SECRET_KEY", d.sealedWithCurrent(ctx, db))
}

// describeKeys returns the fingerprints of our keys, and how far a replacement is.
func (d *Doctor) describeKeys(known installation.Recorded) string {
	all := d.Settings.Keys().Fingerprints()
	text := all[0].String()
	switch {
	case known.Key == "":
		text += ", not recorded yet: konbit migrate records it, or else the first server that starts"
	case all[0].String() != known.Key:
		text += ", which replaces " + known.Key + ": when all servers have it, run konbit keys rotate"
	default:
		text += ", recorded since " + known.KeySince.UTC().Format("2006-01-02 UTC")
	}
	if len(all) > 1 {
		var old []string
		for _, f := range all[1:] {
			old = append(old, f.String())
		}
		text += "; accepted besides it: " + strings.Join(old, ", ")
	}
	return text
}

// sealedWithCurrent reports an error if sealed values name another key than the current one as their maker. Those of an
// earlier release name none; they are opened by trying each key.
func (d *Doctor) sealedWithCurrent(ctx context.Context, db *sqlx.DB) error {
	counts, err := privacy.CountSeals(ctx, db)
	failed := []error{err}
	current := d.Settings.Keys().Fingerprints()[0].ID()
	for _, s := range counts {
		if s.KeyID != "" && s.KeyID != current {
			failed = append(failed, fmt.Errorf(
				"%d %s are sealed with another key: konbit keys list shows which, and konbit keys rotate seals them again", s.N, s.What))
		}
	}
	return errors.Join(failed...)
}
