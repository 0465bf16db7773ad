package staff

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// Passkey is a passkey of a person.
type Passkey struct {
	ID         uuid.UUID  `db:"id"`
	StaffID    uuid.UUID  `db:"staff_id"`
	Name       string     `db:"name"`
	MadeAt     time.Time  `db:"made_at"`
	UsedAt     *time.Time `db:"used_at"`
	Credential []byte     `db:"credential"` // JSON of the library
}

const selectPasskey = `SELECT id, staff_id, name, made_at, used_at, credential FROM staff_passkey `

func passkeysOf(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (all []Passkey, err error) {
	const query = `/* staff.passkeysOf */ ` + selectPasskey + `WHERE staff_id = $1 AND ended_at IS NULL ORDER BY made_at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, person)
	return all, err
}

// The acts that a passkey signs besides those of other packages.
const (
	actSignIn   = "sign in"
	actRegister = "add a passkey"
	// ActFresh is the act of a form that needs a fresh factor and moves no money.
	ActFresh = "confirm"
)

// algorithms are the accepted signatures: ES256, EdDSA, RS256.
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// PasskeysWork reports whether browsers accept passkeys at the office's address: it has a name, not only a number, and is
// on https or on this machine.
func (s Service) PasskeysWork() bool {
	host := s.Site.Hostname()
	_, err := netip.ParseAddr(host)
	return err != nil && (s.Site.Scheme == "https" || host == "localhost")
}

// Prompt is what the page of a form needs to ask for a passkey. Options is for navigator.credentials, as JSON with bytes in
// base64url. The script sends back Answer as JSON in base64url.
type Prompt struct {
	Options string
	Nonce   string
}

// Answer is what the page sends back: the nonce of the prompt and the credential that the browser returned.
type answer struct {
	Nonce      string          `json:"nonce"`
	Name       string          `json:"name,omitempty"` // of a new passkey
	Credential json.RawMessage `json:"credential"`
}

// challengeOf returns what a passkey signs for an act.
func challengeOf(act [32]byte, nonce []byte) [32]byte { return sha256.Sum256(append(act[:], nonce...)) }

// newChallenge stores the hash of a new challenge for an act, in a session or, before there is one, in a browser.
func (s Service) newChallenge(ctx context.Context, act string, of uuid.NullUUID, browser []byte) (challenge [32]byte, nonce string, err error) {
	const query = `/* staff.newChallenge */ INSERT INTO staff_challenge (id, hash, act, session_id, browser_hash) VALUES ($1, $2, $3, $4, $5)`
	var random [32]byte
	_, _ = rand.Read(random[:]) // documented never to fail
	about := sha256.Sum256([]byte(act))
	challenge = challengeOf(about, random[:])
	hash := sha256.Sum256(challenge[:])
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, s.NewID(), hash[:], about[:], of, browser)
		return err
	})
	return challenge, base64.RawURLEncoding.EncodeToString(random[:]), err
}

// PromptSignIn returns the prompt of the sign-in page for any passkey of this host, and the value of a cookie that binds it
// to the browser.
func (s Service) PromptSignIn(ctx context.Context, from Client) (p Prompt, cookie string, err error) {
	err = s.allow(ctx, "staff sign-ins", guard.Quota{Kind: "staff network", Subject: guard.NetworkKey(from.Address), Limit: signInsOfNetwork})
	if err != nil {
		return p, "", err
	}
	cookie = session.NewSecret()
	challenge, nonce, err := s.newChallenge(ctx, actSignIn, uuid.NullUUID{}, hashOf("browser", cookie))
	return s.request(challenge, nonce, nil), cookie, err
}

// Prompt returns the prompt for an act in a session, with the passkeys of its person; false if there is none.
func (s Service) Prompt(ctx context.Context, of Session, act string) (p Prompt, ok bool, err error) {
	keys, err := passkeysOf(ctx, s.DB, of.StaffID)
	if err != nil || len(keys) == 0 || !s.PasskeysWork() {
		return p, false, err
	}
	challenge, nonce, err := s.newChallenge(ctx, act, uuid.NullUUID{UUID: of.ID, Valid: true}, nil)
	return s.request(challenge, nonce, keys), true, err
}

// descriptor names a credential in the options of a prompt.
type descriptor struct {
	Type string                    `json:"type"`
	ID   protocol.URLEncodedBase64 `json:"id"`
}

func descriptors(keys []Passkey) (all []descriptor) {
	for _, key := range keys {
		if c, err := key.credential(); err == nil {
			all = append(all, descriptor{"public-key", c.ID})
		}
	}
	return all
}

func (s Service) request(challenge [32]byte, nonce string, keys []Passkey) Prompt {
	options, _ := json.Marshal(map[string]any{ // of these values it cannot fail
		"challenge": protocol.URLEncodedBase64(challenge[:]), "rpId": s.Site.Hostname(), "userVerification": "required", "timeout": 240_000,
		"allowCredentials": append([]descriptor{}, descriptors(keys)...),
	})
	return Prompt{string(options), nonce}
}

// PromptRegister returns the prompt for a new passkey of the session's person.
func (s Service) PromptRegister(ctx context.Context, of Session) (Prompt, error) {
	keys, err := passkeysOf(ctx, s.DB, of.StaffID)
	if err != nil {
		return Prompt{}, err
	}
	challenge, nonce, err := s.newChallenge(ctx, actRegister, uuid.NullUUID{UUID: of.ID, Valid: true}, nil)
	options, _ := json.Marshal(map[string]any{ // of these values it cannot fail
		"challenge": protocol.URLEncodedBase64(challenge[:]), "rp": map[string]string{"id": s.Site.Hostname(), "name": "Konbit"},
		"user":             map[string]any{"id": protocol.URLEncodedBase64(of.StaffID[:]), "name": of.Email, "displayName": of.Name},
		"pubKeyCredParams": algorithms, "attestation": "none", "timeout": 240_000,
		"authenticatorSelection": map[string]any{"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
		"excludeCredentials":     append([]descriptor{}, descriptors(keys)...),
	})
	return Prompt{string(options), nonce}, err
}

// relyingParty returns the library's checker for the office's host.
func (s Service) relyingParty() (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: s.Site.Hostname(), RPDisplayName: "Konbit", RPOrigins: []string{s.Site.Scheme + "://" + s.Site.Host},
		AttestationPreference: protocol.PreferNoAttestation,
	})
}

// holder is a person as the library knows one.
type holder struct {
	id          []byte
	credentials []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.id }
func (h holder) WebAuthnName() string                       { return "" }
func (h holder) WebAuthnDisplayName() string                { return "" }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

func (p Passkey) credential() (c webauthn.Credential, err error) {
	return c, json.Unmarshal(p.Credential, &c)
}

// errAnswer means that the answer of a passkey is wrong, late, used, or of another act.
var errAnswer error = fault.New(fault.Invalid, "office.passkey.wrong", nil)

// read returns the answer that a page sent back with the challenge that it must have signed for an act.
func read(assertion, act string) (a answer, about, challenge [32]byte, err error) {
	text, err := base64.RawURLEncoding.DecodeString(assertion)
	if err != nil || len(text) > 16<<10 {
		return a, about, challenge, errAnswer
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, about, challenge, errAnswer
	}
	nonce, err := base64.RawURLEncoding.DecodeString(a.Nonce)
	if err != nil || len(nonce) != 32 {
		return a, about, challenge, errAnswer
	}
	about = sha256.Sum256([]byte(act))
	return a, about, challengeOf(about, nonce), nil
}

// Register stores a new passkey of the session's person by the answer of its prompt.
func (s Service) Register(ctx context.Context, of Session, assertion, name string) error {
	const query = `/* staff.Register */ SELECT add_staff_passkey($1, $2, $3, $4, $5, $6, $7)`
	a, about, challenge, err := read(assertion, actRegister)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(a.Credential)
	if err != nil {
		return s.refuse(ctx, err)
	}
	party, err := s.relyingParty()
	if err != nil {
		return err
	}
	created, err := party.CreateCredential(holder{id: of.StaffID[:]}, webauthn.SessionData{
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]), RelyingPartyID: s.Site.Hostname(), UserID: of.StaffID[:],
		UserVerification: protocol.VerificationRequired, CredParams: algorithms,
	}, parsed)
	if err != nil {
		return s.refuse(ctx, err)
	}
	stored, err := json.Marshal(created)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(challenge[:])
	return InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		var added bool
		err := tx.GetContext(ctx, &added, query, s.NewID(), hash[:], about[:], created.ID, string(stored), int64(created.Authenticator.SignCount), name)
		if err != nil {
			return err
		}
		if !added {
			return errAnswer
		}
		return s.factorChangedTx(ctx, tx, of, "passkey added")
	})
}

// refuse records a wrong answer.
func (s Service) refuse(ctx context.Context, why error) error {
	securitylog.Record(ctx, securitylog.FactorWrong)
	return fault.Wrap(fault.Invalid, "office.passkey.wrong", why)
}

// checked is an answer whose signature was checked.
type checked struct {
	passkey    Passkey
	credential webauthn.Credential // as it is after this use
	about      [32]byte
	hash       [32]byte // of the challenge
	answer     []byte
}

// check verifies an answer for an act with the public key of the passkey that gave it. A signature counter that does not
// grow is refused and reported: somebody may have copied the passkey.
func (s Service) check(ctx context.Context, assertion, act string) (c checked, err error) {
	const query = `/* staff.check */ ` + selectPasskey + `WHERE credential_id = $1 AND ended_at IS NULL`
	a, about, challenge, err := read(assertion, act)
	if err != nil {
		return c, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Credential)
	if err != nil {
		return c, s.refuse(ctx, err)
	}
	if err := s.DB.GetContext(ctx, &c.passkey, query, parsed.RawID); errors.Is(err, sql.ErrNoRows) {
		return c, s.refuse(ctx, err)
	} else if err != nil {
		return c, err
	}
	stored, err := c.passkey.credential()
	if err != nil {
		return c, err
	}
	party, err := s.relyingParty()
	if err != nil {
		return c, err
	}
	used, err := party.ValidateLogin(holder{c.passkey.StaffID[:], []webauthn.Credential{stored}}, webauthn.SessionData{
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]), RelyingPartyID: s.Site.Hostname(), UserID: c.passkey.StaffID[:],
		UserVerification: protocol.VerificationRequired,
	}, parsed)
	if err != nil {
		return c, s.refuse(ctx, err)
	}
	if used.Authenticator.CloneWarning {
		securitylog.Record(ctx, securitylog.PasskeyCopied)
		return c, errAnswer
	}
	c.credential, c.about, c.hash = *used, about, sha256.Sum256(challenge[:])
	c.answer, err = json.Marshal(a)
	return c, err
}

// useTx notes a checked answer in the session of the transaction, and reports whether its challenge was valid.
func (c checked) useTx(ctx context.Context, tx *sqlx.Tx, browser []byte) (used bool, err error) {
	const query = `/* staff.useTx */ SELECT use_staff_passkey($1, $2, $3, $4, $5, $6, $7)`
	credential, err := json.Marshal(c.credential)
	if err != nil {
		return false, err
	}
	count := int64(c.credential.Authenticator.SignCount)
	err = tx.GetContext(ctx, &used, query, c.hash[:], c.about[:], browser, c.passkey.ID, count, string(credential), string(c.answer))
	return used, err
}

// SignInByPasskey opens a session by the answer of a passkey, in the browser that got its prompt, and returns the secret for
// its cookie.
func (s Service) SignInByPasskey(ctx context.Context, assertion, browser string, from Client) (opened Session, secret string, err error) {
	err = s.allow(ctx, "staff sign-ins", guard.Quota{Kind: "staff network", Subject: guard.NetworkKey(from.Address), Limit: signInsOfNetwork})
	if err != nil {
		return opened, "", err
	}
	c, err := s.check(ctx, assertion, actSignIn)
	if err != nil {
		return opened, "", err
	}
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if opened, secret, err = s.beginTx(ctx, tx, c.passkey.StaffID, from); err != nil {
			return err
		}
		used, err := c.useTx(ctx, tx, hashOf("browser", browser))
		if err == nil && !used {
			err = errAnswer
		}
		return err
	})
	if Rule(err) == "staff_is_enabled" {
		err = errAnswer
	}
	if err != nil {
		securitylog.RecordRefusal(ctx, securitylog.FactorWrong)
		return opened, "", err
	}
	securitylog.Record(ctx, securitylog.StaffSignedIn)
	return opened, secret, nil
}

// ProveByPasskey checks the answer of a passkey for an act. Afterwards the session has a fresh factor, with the act and the
// answer.
func (s Service) ProveByPasskey(ctx context.Context, of Session, assertion, act string) error {
	c, err := s.check(ctx, assertion, act)
	if err != nil {
		return err
	}
	if !bytes.Equal(c.passkey.StaffID[:], of.StaffID[:]) {
		return s.refuse(ctx, errors.New("the passkey is of another person"))
	}
	err = InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		used, err := c.useTx(ctx, tx, nil)
		if err == nil && !used {
			err = errAnswer
		}
		return err
	})
	recordFactor(ctx, err == nil)
	return err
}
