# reasons.awk - the list of reasons in the man page, made from reasons.def.
#
#   awk -f proxy/install/reasons.awk proxy/report/reasons.def \
#       proxy/install/sallyport.8 >new && mv new proxy/install/sallyport.8
#
# Writes the page with what stands between its lines ".\" reasons" and
# ".\" end of reasons" made anew; a unit test fails when that was forgotten.

function mdoc(text) {
	gsub(/-/, "\\-", text)
	gsub(/\. /, ".\n", text) # a sentence, a line
	return text
}

FILENAME ~ /reasons\.def$/ {
	if (/^REASON\(/) {
		split($0, q, "\"")
		word = q[2]
	}
	# the sentence is the first string with a capital and a full stop
	n = split($0, q, "\"")
	for (i = 2; i <= n && word != "" && word != "ok"; i += 2)
		if (q[i] ~ /^[A-Z].*\.$/) {
			list = list ".It Ql " mdoc(word) "\n" mdoc(q[i]) "\n"
			word = ""
		}
	next
}

/^\.\\" end of reasons$/ { inside = 0 }
!inside { print }
/^\.\\" reasons$/ {
	inside = 1
	printf ".Bl -tag -width Ds\n%s.El\n", list
}
