package staff

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// VerifyAnswer checks a stored answer of a passkey of a person again: that the passkey signed the act. It accepts passkeys
// that were removed since, and does not look at counters and times. It only reads.
func (s Service) VerifyAnswer(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, stored, act string) error {
	_, err := s.verifyAnswer(ctx, q, person, stored, sha256.Sum256([]byte(act)))
	return err
}

// VerifySigned is VerifyAnswer for the hash of an act.
func (s Service) VerifySigned(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, stored string, about [32]byte) error {
	_, err := s.verifyAnswer(ctx, q, person, stored, about)
	return err
}

// verifyAnswer is VerifyAnswer for the hash of an act, and returns the passkey that signed it.
func (s Service) verifyAnswer(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, stored string, about [32]byte) (key Passkey, err error) {
	const query = `/* staff.VerifyAnswer */ ` + selectPasskey + `WHERE staff_id = $1 AND credential_id = $2`
	var a answer
	if err := json.Unmarshal([]byte(stored), &a); err != nil {
		return key, fmt.Errorf("staff: the stored answer is not JSON: %w", err)
	}
	nonce, err := base64.RawURLEncoding.DecodeString(a.Nonce)
	if err != nil || len(nonce) != 32 {
		return key, errors.New("staff: the stored answer has no nonce")
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Credential)
	if err != nil {
		return key, fmt.Errorf("staff: the stored answer is of no passkey: %w", err)
	}
	if err := sqlx.GetContext(ctx, q, &key, query, person, parsed.RawID); err != nil {
		return key, fmt.Errorf("staff: the person has had no such passkey: %w", err)
	}
	credential, err := key.credential()
	if err != nil {
		return key, err
	}
	party, err := s.relyingParty()
	if err != nil {
		return key, err
	}
	challenge := challengeOf(about, nonce)
	_, err = party.ValidateLogin(holder{person[:], []webauthn.Credential{credential}}, webauthn.SessionData{
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]), RelyingPartyID: s.Site.Hostname(), UserID: person[:],
		UserVerification: protocol.VerificationRequired,
	}, parsed)
	return key, err
}
