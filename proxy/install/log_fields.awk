# log_fields.awk - the fields of the access log in the man page, made from
# log_fields.def.
#
#   awk -f proxy/install/log_fields.awk proxy/report/log_fields.def \
#       proxy/install/sallyport.8 >new && mv new proxy/install/sallyport.8
#
# Writes the page with what stands between its lines ".\" log fields" and
# ".\" end of log fields" made anew; a unit test fails when that was forgotten.

function mdoc(text) {
	gsub(/-/, "\\-", text)
	gsub(/[.;] /, "&\n", text) # a sentence, a line
	gsub(/ \n/, "\n", text)
	return text
}

# row takes a whole LOG_FIELD(...) apart: its column is the first string, its
# help the last ones, with nothing between them.
function row(text,    q, n, i, json, help) {
	json = text
	sub(/^LOG_FIELD\(/, "", json)
	sub(/,.*/, "", json)
	n = split(text, q, "\"")
	for (i = n - 1; i > 2; i -= 2) {
		help = q[i] help
		if (q[i - 1] !~ /^[ \t]*$/)
			break
	}
	table = table ".It Sy " json (q[2] == json ? "" : " Pq " q[2]) "\n" \
		mdoc(help) "\n"
}

FNR == NR {
	if (/^LOG_FIELD\(/)
		text = ""
	if (/^LOG_FIELD\(/ || text != "")
		text = text $0
	if (text != "" && /"\)$/) {
		row(text)
		text = ""
	}
	next
}

/^\.\\" log fields$/ {
	print
	printf ".Bl -tag -width Ds\n%s.El\n", table
	skip = 1
}
/^\.\\" end of log fields$/ { skip = 0 }
!skip { print }
