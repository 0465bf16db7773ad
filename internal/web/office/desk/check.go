package desk

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"konbit/internal/web"
)

// A page that shows what an act does is opened by GET, so that the browser's ways back and forward show it again: a page that
// answers a POST, and may not be stored, is an error page there. What was typed stands in its address, encrypted: addresses are
// in logs and histories, and notes are about people.

// checkTime is how long the address of such a page works.
const checkTime = time.Hour

const checkPurpose = "office check page"

// sealedForm is what the address holds.
type sealedForm struct {
	Until time.Time
	Form  json.RawMessage
}

// SealForm returns a form as the value of an address, for the session of the visit and one object. Without a key it returns an
// error.
func (d *Desk) SealForm(v web.StaffVisit, object string, form any) (string, error) {
	typed, err := json.Marshal(form)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(sealedForm{d.Wall().Add(checkTime), typed})
	if err != nil {
		return "", err
	}
	sealed, err := d.Keys.Seal(checkPurpose, text, []byte(v.ID.String()+" "+object))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// OpenForm reads a value of SealForm into form. It returns false if it was sealed in another session or for another object, or
// is too old.
func (d *Desk) OpenForm(v web.StaffVisit, object, value string, form any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return false
	}
	text, err := d.Keys.Open(checkPurpose, sealed, []byte(v.ID.String()+" "+object))
	var in sealedForm
	return err == nil && json.Unmarshal(text, &in) == nil && d.Wall().Before(in.Until) && json.Unmarshal(in.Form, form) == nil
}
