import type { LanguagePack } from "../LanguagePack.ts"

/**
 * What tools answer when something is wrong. Programs speak English whatever people around them speak, so this belongs to
 * every choice of languages. Status codes are written `status 401`: so they come out of JSON and of headlines.
 */
export const toolAnswers: LanguagePack = {
  language: "tools",
  patterns: {
    invalidArgs: [
      "=(invalid|illegal|bad|wrong|unexpected|unknown|unrecognized) (argument|arguments|parameter|parameters|param|params|option|flag|keyword argument|value for|input for|type for)",
      "=(argument|parameter|value|input|field|property) (validation|) (error|failed|is invalid|was invalid|is not valid|not valid)",
      "=(validation|schema) (error|errors|failed|failure)",
      "=(failed|does not pass|did not pass) (validation|schema validation)",
      "=(missing|lacks) (a|the|one|) (required|mandatory) (argument|parameter|field|property|value)",
      "=missing required",
      "=missing (argument|arguments|parameter|parameters|positional argument)",
      "=(is|are) (a|) required (parameter|argument|field|property)",
      "=(field|parameter|argument|property) (is|) required",
      "=(out of range|out of bounds|must be of type|must be between|must be greater|must be less|must be one of)",
      "=must be (a|an) (string|number|integer|boolean|array|object|list|positive integer)",
      "=expected (a|an|type|) (string|number|integer|int|boolean|array|object|list) (but|got|received|instead)",
      "=(typeerror|type error|valueerror|value error|invalidargument|invalid_argument|badrequest|bad request)",
      "=(cannot|could not|unable to) (parse|convert|coerce) (argument|parameter|value|input|the argument)",
      "=(unexpected keyword argument|takes * positional arguments|additional properties)",
      "=(status|http|code|error) (400|422)"
    ],
    toolNotFound: [
      "=(unknown|no such|undefined|unrecognized|nonexistent|unavailable) (tool|function|method|command|action)",
      "=(tool|function|method|command|action) (*) (not found|does not exist|is not defined|is unknown|not available|is not available|doesn't exist|not registered|is not registered)",
      "=(tool|function|method|command|action) (not found|does not exist|is not defined|is unknown|not available|is not available|doesn't exist|not registered|is not registered)",
      "=command not found",
      "=(there is no|no) (tool|function) (named|called|with the name)"
    ],
    authMisuse: [
      "=(permission|access|authorization) (denied|refused|is denied|was denied)",
      "=(unauthorized|unauthenticated|permissionerror|permissiondenied)",
      "=(not|you are not|is not) (authorized|authenticated|allowed to|permitted to)",
      "=(authentication|authorization|login) (failed|error|required|is required)",
      "=(invalid|missing|expired|wrong|incorrect|bad) (api key|apikey|token|access token|credentials|credential|password|auth token|bearer token)",
      "=(token|session|credentials|api key|certificate) (has|have|is|) (expired|been revoked|revoked)",
      "=(insufficient|missing) (permissions|permission|privileges|scope|scopes|rights)",
      "=(requires|need|needs) (admin|administrator|root|elevated) (rights|privileges|permissions|access)",
      "=(status|http|code|error) (401|403)",
      "=(401 unauthorized|403 forbidden)"
    ],
    stateError: [
      "=must (call|run|invoke|create|open|start|initialize|init|connect|read) * (first|before)",
      "=must be (called|run|read|opened|started|initialized|connected) (first|before)",
      "=(already|still) (exists|exist|running|open|closed|started|in use|locked|initialized|connected|registered|been deleted|been created)",
      "=(not|is not|was not|has not been) (initialized|initialised|connected|started|logged in|opened|ready yet|open)",
      "=(invalid|illegal|bad|inconsistent) state",
      "=(illegalstateexception|invalidstateerror|preconditionfailed|precondition failed|failed precondition)",
      "=(resource|file|record|row|object) (is|) (locked|busy|in use|stale|out of date)",
      "=(cannot|can not|can't) * (while it is|while the|until it|until the|because it is)",
      "=(modified|changed) since (it was|last|you)",
      "=merge conflict",
      "=(status|http|code|error) (409|412)",
      "=409 conflict"
    ],
    badQuery: [
      "=(unknown|no such|invalid|ambiguous|undefined) (column|field|table|attribute|index|relation|filter|operator|sort key|collection)",
      "=(column|field|table|relation|attribute|view) (*) (does not exist|not found|doesn't exist)",
      "=(column|field|table|relation|attribute|view) (does not exist|not found|doesn't exist)",
      "=(syntax error|sql error|parse error|query error|malformed query|invalid query|invalid sql|bad query)",
      "=(invalid|unknown|unsupported) (filter|query|selector|expression|regular expression|regex|jsonpath|xpath|date format|where clause)",
      "=(query|search|filter) (is|was|) (invalid|malformed|failed|too broad|not valid)",
      "=(could not|cannot|can't|unable to) (parse|understand) (the|your|) (query|filter|expression|selector)",
      "=unterminated (string|quoted string)"
    ],
    rateLimit: [
      "=too many (requests|calls|connections)",
      "=rate (limit|limits) (exceeded|reached|hit|error|was exceeded|has been exceeded|has been reached)",
      "=(ratelimiterror|ratelimitexceeded|resourceexhausted|resource exhausted|throttlingexception)",
      "=(quota|limit|usage limit|daily limit|request limit) (has been|was|is|) (exceeded|exhausted|reached)",
      "=(exceeded|exceeds|over) (your|the|) (current|) (quota|rate limit|request limit)",
      "=(request|requests|call|calls) (was|were|is|are|being|got) throttled",
      "=(being|was|were) (throttled|rate limited)",
      "=(retry|try again) (after|in) * (seconds|second|minutes|minute|ms)",
      "=(status|http|code|error) 429"
    ],
    apiError: [
      "=(internal|upstream|unexpected|remote) (server|service|) (error|failure)",
      "=(service|server|backend|upstream|api) (is|) (temporarily|currently|) (unavailable|overloaded|down)",
      "=(bad gateway|server error|apierror|api error|servererror)",
      "=(something|an unexpected|an unknown) (went wrong|error occurred|error has occurred)",
      "=an internal error",
      "=under maintenance",
      "=(500 internal|502 bad|503 service)",
      "=(status|http|code|error) (500|502|503|529)",
      "=(request|call|query|operation) failed (with|due|because of) (an|a|) (internal|server|unexpected|unknown|backend)",
      "=(server|service|backend|api|upstream) (responded|replied|returned|answered|failed) (with|an|a) * (error|failure|exception)",
      "=(server|service|backend|api|upstream|provider) (returned|responded with|gave|threw) (a|an|) (500|502|503|5xx|error|exception|failure)",
      "=please try again later",
      "=(service|partial|major) (outage|disruption|degradation|interruption)",
      "=(our|the) (systems|system|servers|service) (is|are) (down|offline|unavailable|experiencing)"
    ],
    timeout: [
      "=(timed|time) out (after|while|waiting|error|expired)",
      "=(request|connection|operation|query|call|command|read|tool|it|execution|process|has|script|socket) timed out",
      "=(deadline|time limit|maximum execution time|timeout) (exceeded|has been exceeded|was exceeded|expired|reached|of * exceeded)",
      "=(timeouterror|timeoutexception|etimedout|readtimeout|connecttimeout|deadlineexceeded|timeoutexpired)",
      "=(gateway|connection|read|request|operation|connect) timeout",
      "=(took|taking) too long",
      "=(status|http|code|error) (408|504)"
    ],
    network: [
      "=connection (refused|reset|aborted|closed|error|failed|was refused|was reset|was closed|lost)",
      "=(network|dns|socket|tls|ssl) (error|failure|is unreachable|unreachable|handshake|resolution failed|lookup failed)",
      "=(econnrefused|econnreset|enotfound|ehostunreach|epipe|connectionerror|connectionrefusederror|eai_again|sslerror|networkerror)",
      "=(could not|cannot|can't|failed to|unable to) (connect|resolve|reach) (to|host|the host|the server|hostname|server|address)",
      "=(host|network|server) (is|) (unreachable|not reachable|not found)",
      "=(no route to host|name or service not known|broken pipe|socket hang up|fetch failed)",
      "=(certificate|ssl certificate) (verify failed|verification failed|has expired|error)",
      "=temporary failure in name resolution"
    ],
    malformedResponse: [
      "=(invalid|malformed|truncated|incomplete|unparseable|corrupt) (json|xml|response|reply|payload|html|csv|data received)",
      "=unexpected (token|eof|character)",
      "=unexpected end of",
      "=(jsondecodeerror|json decode error|json parse error|json parsing error|syntaxerror unexpected)",
      "=(failed|unable|could not|cannot) (to|) (parse|decode) (the|) (response|json|reply|body|output|xml)",
      "=(empty|unexpected) (response|reply) (from|body|received|format)",
      "=(response|reply) (was|is) (empty|not json|not valid json|malformed|truncated)",
      "=expecting value line"
    ],
    contextOverflow: [
      "=(maximum|max) (context|prompt) (length|size|window)",
      "=(context|prompt|input|message|request) (is|was|) too (long|large|big) (for|to|by)",
      "=(prompt|input|context) (is|) too long",
      "=context (length|window|size) (exceeded|is exceeded|was exceeded|limit|overflow|has been exceeded)",
      "=(exceeds|exceeded|over) (the|) (model's|maximum|context|token) (context|length|window|limit|maximum)",
      "=(token limit|maximum number of tokens|max tokens) (exceeded|reached|was exceeded)",
      "=too many tokens",
      "=(reduce|shorten) the (length of|) (your|the|) (messages|prompt|input)"
    ]
  }
}
