package app

import (
	"context"
	"errors"

	"konbit/internal/office/installation"
	"konbit/internal/platform/jobs"
)

// identify records the fingerprint of SECRET_KEY and the address of the pages if the database has none, and returns
// installation.ErrKey if the recorded key is not among ours. It logs another address. After it succeeded, it does
// nothing: watchSettings looks again.
func (a *App) identify(ctx context.Context) error {
	if a.identified.Load() {
		return nil
	}
	known, err := installation.RecordMissing(ctx, a.resources.PagesDB, a.settings.Keys(), a.settings.BaseURL)
	if err != nil {
		return err
	}
	if err := known.CheckKey(a.settings.Keys()); err != nil {
		return err
	}
	if err := known.CheckAddress(a.settings.BaseURL); err != nil {
		a.resources.Log.ErrorContext(ctx, "another address of the pages: no emails are sent", "fix", err)
	}
	a.identified.Store(true)
	return nil
}

// watchSettings logs while SECRET_KEY or BASE_URL is another than the database has recorded since the start.
func (a *App) watchSettings(ctx context.Context) error {
	known, err := installation.Read(ctx, a.resources.DB)
	if err != nil {
		return err
	}
	for _, wrong := range []error{known.CheckKey(a.settings.Keys()), known.CheckAddress(a.settings.BaseURL)} {
		if wrong != nil {
			a.resources.Log.ErrorContext(ctx, "a setting is not that of the other servers", "fix", wrong)
		}
	}
	return nil
}

// beforeJob refuses emails while BASE_URL is another than the recorded one: their links would be wrong. The jobs stay
// in their queues, for another server or until the address is right.
func (a *App) beforeJob(ctx context.Context, queue jobs.QueueName) error {
	if !queue.HoldsEmails() {
		return nil
	}
	return installation.CheckAddress(ctx, a.resources.DB, a.settings.BaseURL)
}

// isUnknownKey reports whether err says that this process has another SECRET_KEY than the installation.
func isUnknownKey(err error) bool { return errors.Is(err, installation.ErrKey) }
