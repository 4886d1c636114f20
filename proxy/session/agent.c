#include "proxy/session/agent.h"

static const char field[] = "User-Agent";

bool agent_is_clear(const struct head *head)
{
	return head_count(head, field) <= 1 &&
		head_get(head, field).len < AGENT_SIZE;
}

void agent_read(const struct head *head, char out[AGENT_SIZE])
{
	slice_text(head_get(head, field), out, AGENT_SIZE);
}
