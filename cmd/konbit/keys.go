package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/office/installation"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/pg"
)

func keysCommand() *cobra.Command {
	return group("keys", "Show which secret keys are in use, and replace SECRET_KEY", keysListCommand(), keysRotateCommand())
}

// keysInUse is the output of `konbit keys list`.
type keysInUse struct {
	Recorded string              `json:"recorded"` // fingerprint of the installation's key
	Since    time.Time           `json:"since"`
	Keys     []keyInUse          `json:"keys"`
	Sealed   []privacy.SealCount `json:"sealed"`
	Erasures int                 `json:"erasures"` // pending since before the key was recorded
}

// keyInUse is a key of the settings.
type keyInUse struct {
	Fingerprint string `json:"fingerprint"`
	Setting     string `json:"setting"`
	ID          string `json:"id"` // as sealed values name it
}

func keysListCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "Show fingerprints of the keys, and what still needs an old one", Args: cobra.NoArgs,
		Long: "Shows the fingerprints of SECRET_KEY and SECRET_KEY_OLD, the one that the database has recorded, and what is sealed with which\n" +
			"key. It never shows a key.",
	}
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(needDatabase, needSecret)
		if err != nil {
			return err
		}
		db, err := pg.Open(c.Context(), config.DatabaseURL, 1)
		if err != nil {
			return err
		}
		defer db.Close()
		in, err := readKeys(c.Context(), db, config)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c, in)
		}
		in.print(c)
		return nil
	}
	return c
}

func readKeys(ctx context.Context, db *sqlx.DB, config Config) (in keysInUse, err error) {
	known, err := installation.Read(ctx, db)
	if err != nil {
		return in, err
	}
	in.Recorded, in.Since = known.Key, known.KeySince
	for i, f := range config.Keys().Fingerprints() {
		k := keyInUse{Fingerprint: f.String(), Setting: "SECRET_KEY", ID: f.ID()}
		if i > 0 {
			k.Setting = "SECRET_KEY_OLD"
		}
		in.Keys = append(in.Keys, k)
	}
	if in.Sealed, err = privacy.CountSeals(ctx, db); err != nil {
		return in, err
	}
	in.Erasures, err = privacy.CountPendingSince(ctx, db, known.KeySince)
	return in, err
}

// settingOf returns the setting that has the key with an id; "" if none has.
func (in keysInUse) settingOf(id string) string {
	for _, k := range in.Keys {
		if k.ID == id {
			return k.Setting
		}
	}
	return ""
}

func (in keysInUse) print(c *cobra.Command) {
	out := c.OutOrStdout()
	for _, k := range in.Keys {
		recorded := ""
		if k.Fingerprint == in.Recorded {
			recorded = "  recorded since " + in.Since.UTC().Format(time.DateOnly)
		}
		fmt.Fprintf(out, "%-16s  %s%s\n", k.Setting, k.Fingerprint, recorded)
	}
	if in.Recorded == "" {
		fmt.Fprintln(out, "None is recorded: konbit migrate records SECRET_KEY, or else the first server that starts.")
	}
	for _, s := range in.Sealed {
		by := in.settingOf(s.KeyID)
		switch {
		case s.KeyID == "":
			by = "a key that is not named: konbit keys rotate"
		case by == "":
			by = s.KeyID + "…, which is not among the settings"
		case by != "SECRET_KEY":
			by += ": konbit keys rotate"
		}
		fmt.Fprintf(out, "%d %s sealed with %s\n", s.N, s.What, by)
	}
	if in.Erasures > 0 {
		fmt.Fprintf(out, "%d pending erasures need the key of before for addresses without a donation; they are done within days.\n", in.Erasures)
	}
}

func keysRotateCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "rotate", Short: "Make SECRET_KEY the installation's key, and seal with it what another key sealed (as the owner)", Args: cobra.NoArgs,
		Long: "Run it when all servers have the new key in SECRET_KEY and the one before in SECRET_KEY_OLD: running/keys.md. It needs both, and\n" +
			"DATABASE_OWNER_URL. Running it again seals what a server has sealed with the old key since.",
	}
	lost := c.Flags().Bool("old-key-lost", false, "go on without the recorded key: what it sealed stays unreadable, its links end")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(needOwner, needSecret)
		if err != nil {
			return err
		}
		db, err := pg.Open(c.Context(), config.DatabaseOwnerURL, 2)
		if err != nil {
			return err
		}
		defer db.Close()
		return rotateKey(c, db, config, *lost)
	}
	return c
}

func rotateKey(c *cobra.Command, db *sqlx.DB, config Config, lost bool) error {
	known, err := installation.Read(c.Context(), db)
	if err != nil {
		return err
	}
	if err := known.CheckKey(config.Keys()); err != nil && !lost {
		return fmt.Errorf("%w\nIf that key is lost: konbit keys rotate --old-key-lost", err)
	}
	did, err := privacy.Eraser{DB: db, Keys: config.Keys()}.Reseal(c.Context())
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%d values sealed with SECRET_KEY.\n", did.Sealed)
	if did.Unopened > 0 {
		fmt.Fprintf(out, "%d cannot be opened with any key of the settings, and stay as they are: konbit keys list\n", did.Unopened)
	}
	if err := installation.SetKey(c.Context(), db, config.Keys()); err != nil {
		return err
	}
	fmt.Fprintf(out, "The installation's key is now %s. A server that has not this key does not start any more.\n", config.Keys().Fingerprints()[0])
	return nil
}

// checkKey reports an error if the settings have not the installation's key. A database without a record accepts any.
func checkKey(ctx context.Context, db *sqlx.DB, config Config) error {
	known, err := installation.Read(ctx, db)
	if err != nil {
		return err
	}
	return known.CheckKey(config.Keys())
}
