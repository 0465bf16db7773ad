package give

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"konbit/internal/platform/keyring"
	"konbit/internal/web"
)

// TestValuesKeepTheirSpelling: the addresses to which payment pages return, and the cookies, never change. A renamed
// constant that changes one fails here.
func TestValuesKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	success, back := Links(&url.URL{Scheme: "https", Host: "give.example"})("csio", "ref", "es")
	area := &Area{Kernel: &web.Kernel{Keys: keyring.New([]byte("canary-secret-of-32-bytes-length"))}}
	for name, each := range map[string]struct{ got, want string }{
		"page after payment": {success, "https://give.example/give/csio/thanks?lang=es&gift=ref"},
		"form again":         {back, "https://give.example/give/csio?lang=es&again=ref"},
		"event mode":         {EventPath("csio", "pass"), "/give/csio/event#pass"},
		"gift cookie":        {giftCookie, "gift"},
		"event cookie":       {eventCookie, "event"},
		"gift signature":     {area.sign("ref"), "ky9VMVlRMz_UIcutuH3fdeB4UdA"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, each.want, each.got)
		})
	}
}
