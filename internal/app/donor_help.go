package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/planlink"
	"konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/people/donoraccess"
	"konbit/internal/web/letters"
)

// What an operator does for a donor who cannot do it themselves.

// SignOut ends all sessions of the person who owns an email address, and the links of emails to the person's plans. It
// returns the number of sessions. It reports an error if no person owns the address, which may be misspelled.
func SignOut(ctx context.Context, db *sqlx.DB, address string) (ended int64, err error) {
	access := donoraccess.Service{DB: db, EndLinksTx: planlink.EndOfEmailsTx}
	if ended, err = access.EndSessionsOfEmail(ctx, address); ended > 0 || err != nil {
		return ended, err
	}
	proved, err := access.IsProven(ctx, address)
	if proved || err != nil {
		return 0, err
	}
	donors, err := donor.ByEmails(ctx, db, []string{address})
	if len(donors) == 0 && err == nil {
		err = fmt.Errorf("no donor has the address %q: konbit receipt find TEXT looks for one", address)
	}
	return 0, err
}

// NewMoveRequest builds what sends the email by which a donor who lost a mailbox proves a new address. The caller
// closes the transport.
func NewMoveRequest(s Settings, o Office, db *sqlx.DB, clocks Clocks, log *slog.Logger) (mail.MoveRequest, error) {
	resender, err := NewResender(s, o, db, clocks, log)
	if err != nil {
		return mail.MoveRequest{}, err
	}
	mailer := resender.Mailer
	if mailer.Transport, err = transport.New(s.SMTPURL, s.MailFrom, 1); err != nil {
		return mail.MoveRequest{}, err
	}
	access := donoraccess.Service{DB: db, Keys: s.Keys(), Now: clocks.Wall, NewID: NewID}
	return mail.MoveRequest{SignIns: mail.SignIns{Mailer: mailer, Access: access, Catalog: o.Catalog}, MoveLink: letters.MoveLink(s.BaseURL)}, nil
}
