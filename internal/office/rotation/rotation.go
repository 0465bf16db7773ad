// Package rotation shows which secret keys are in use, and makes a new SECRET_KEY the installation's. The steps around it
// are in cmd/konbit/running/keys.md. It owns no table and never shows a key.
package rotation

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/installation"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/keyring"
)

// Status says which keys are in use and what still needs an old one.
type Status struct {
	Recorded string              `json:"recorded"` // fingerprint of the installation's key; "" if none is recorded
	Since    time.Time           `json:"since"`
	Keys     []Key               `json:"keys"`
	Sealed   []privacy.SealCount `json:"sealed"`
	Erasures int                 `json:"erasures"` // pending since before the key was recorded
	Hashed   int                 `json:"hashed"`   // erasures, done or pending, whose addresses a key of before hashed
}

// Key is a key of the settings.
type Key struct {
	Setting     string `json:"setting"`
	Fingerprint string `json:"fingerprint"`
	ID          string `json:"id"` // as sealed values name it
}

// Read returns the status. The server's role may call it.
func Read(ctx context.Context, db *sqlx.DB, keys keyring.Ring) (s Status, err error) {
	known, err := installation.Read(ctx, db)
	if err != nil {
		return s, err
	}
	s.Recorded, s.Since = known.Key, known.KeySince
	for i, f := range keys.Fingerprints() {
		setting := "SECRET_KEY"
		if i > 0 {
			setting = "SECRET_KEY_OLD"
		}
		s.Keys = append(s.Keys, Key{setting, f.String(), f.ID()})
	}
	if s.Sealed, err = privacy.CountSeals(ctx, db); err != nil {
		return s, err
	}
	if s.Erasures, err = privacy.CountPendingSince(ctx, db, known.KeySince); err != nil {
		return s, err
	}
	s.Hashed, err = privacy.CountRecordedBefore(ctx, db, known.KeySince)
	return s, err
}

// Lines returns the status as text.
func (s Status) Lines() (lines []string) {
	settings := map[string]string{}
	for _, k := range s.Keys {
		line := fmt.Sprintf("%-16s  %s", k.Setting, k.Fingerprint)
		if k.Fingerprint == s.Recorded {
			line += "  recorded since " + s.Since.UTC().Format("2006-01-02 UTC")
		}
		lines, settings[k.ID] = append(lines, line), k.Setting
	}
	if s.Recorded == "" {
		lines = append(lines, "None is recorded: konbit migrate records SECRET_KEY, or else the first server that starts.")
	}
	for _, c := range s.Sealed {
		by := settings[c.KeyID]
		switch {
		case c.KeyID == "":
			by = "a key that is not named: konbit keys rotate"
		case by == "":
			by = c.KeyID + "…, which is not among the settings"
		case by != "SECRET_KEY":
			by += ": konbit keys rotate"
		}
		lines = append(lines, fmt.Sprintf("%d %s sealed with %s", c.N, c.What, by))
	}
	if s.Erasures > 0 {
		lines = append(lines, fmt.Sprintf(
			"%d pending erasures need the key of before for addresses without a donation; they are done within days.", s.Erasures))
	}
	if s.Hashed > 0 {
		lines = append(lines, fmt.Sprintf("%d erasures were recorded before this key: the daily check A17 and konbit erasures apply "+
			"know their addresses only while SECRET_KEY_OLD names the key of their time.", s.Hashed))
	}
	return lines
}

// Result is what Rotate did.
type Result struct {
	privacy.Resealed
	Fingerprint string `json:"fingerprint"` // of the installation's key
}

// Rotate seals with the current key what other keys sealed, and records the current key as the installation's. It
// returns installation.ErrKey if the recorded key is not in the ring, unless that key is lost. Its database connection
// is the owner's.
func Rotate(ctx context.Context, db *sqlx.DB, keys keyring.Ring, lost bool) (r Result, err error) {
	known, err := installation.Read(ctx, db)
	if err != nil {
		return r, err
	}
	if err := known.CheckKey(keys); err != nil && !lost {
		return r, fmt.Errorf("%w\nIf that key is lost: konbit keys rotate --old-key-lost", err)
	}
	if r.Resealed, err = (privacy.Eraser{DB: db, Keys: keys}).Reseal(ctx); err != nil {
		return r, err
	}
	r.Fingerprint = keys.Fingerprints()[0].String()
	return r, installation.SetKey(ctx, db, keys)
}
