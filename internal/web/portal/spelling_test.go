package portal

import (
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"konbit/internal/platform/keyring"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
	"konbit/internal/web/portal/signedlink"
)

// TestValuesKeepTheirSpelling: addresses, signatures and cookies that emails and browsers hold never change. A renamed
// constant that changes one fails here.
func TestValuesKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	base := &url.URL{Scheme: "https", Host: "give.example"}
	keys, donor := keyring.New([]byte("canary-secret-of-32-bytes-length")), uuid.MustParse("01930000-0000-7000-8000-000000000001")
	of, valid := signedlink.ReadOldPaymentMethodToken(keys, "AZMAAAAAcACAAAAAAAAAAQAAAABrcV8Ac6es6_H6B6re5v1p2IbVtw")
	assert.True(t, valid)
	assert.Equal(t, donor, of)
	assert.True(t, signedlink.IsOldPlanKey(keys, "AAAAAAAAAAAAAAAAAAAAAA", "rvGjK0G9kSDnKzPWxRYIlg"))
	of, kind, valid := signedlink.ReadEmailChoiceToken(keys, "S49xhvaPpmp3MFK__fsRcwGTAAAAAHAAgAAAAAAAAAFuZXdz")
	assert.True(t, valid, "of a release before keys had ids")
	assert.Equal(t, donor, of)
	assert.Equal(t, "news", kind)
	for name, each := range map[string]struct{ got, want string }{
		"plan, open":       {openPath, "/plans/open"},
		"choice of emails": {signedlink.StopLink(base, keys)(donor, "news", "es"), "https://give.example/letters/ky9VMamxnNWvRAbILfqL5vk31JIBkwAAAABwAIAAAAAAAAABbmV3cw?lang=es"},
		"sign-in":          {signedlink.SignInLink(base)("secret", "es"), "https://give.example/sign-in/link?lang=es#secret"},
		"own plan":         {giftpage.OwnPlanPath("ref", "es"), "/portal/plans/ref?lang=es"},
		"receipt":          {giftpage.ReceiptPath("ref"), "/portal/gifts/ref/receipt"},
		"challenge cookie": {challengeCookie, "asked"},
		"session cookie":   {web.SessionCookie, "session"},
		"language cookie":  {web.LanguageCookie, "language"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, each.want, each.got)
		})
	}
}
