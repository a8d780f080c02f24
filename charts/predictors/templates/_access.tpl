{{/* What guards a model: files with tokens, keys and certificates, where they are mounted, and what names them to the server. */}}

{{/* The ConfigMaps that are mounted, by the names of their volumes: (MODEL), JSON. */}}
{{- define "predictors.configMaps" -}}
{{- $configMaps := dict }}
{{- range $volume, $configMap := dict "jwt-keys" .access.jwtKeysConfigMap "authorities" .authoritiesConfigMap }}
  {{- if $configMap.name }}{{ $_ := set $configMaps $volume $configMap }}{{ end }}
{{- end }}
{{- toJson $configMaps }}
{{- end }}

{{/* The Secrets that are mounted, by the names of their volumes: (MODEL), JSON. `key` is empty where all keys are. */}}
{{- define "predictors.secrets" -}}
{{- $secrets := dict }}
{{- range $volume, $secret := dict "tokens" .access.tokenDigestsSecret "metrics-tokens" .access.metricsTokenDigestsSecret "fallback-key" .fallbackKeySecret }}
  {{- if $secret.name }}{{ $_ := set $secrets $volume $secret }}{{ end }}
{{- end }}
{{- /* Without a rollout too, so that turning one on is no other version. */}}
{{- if and .shadows .access.callerTokenSecret.name }}
  {{- $_ := set $secrets "caller-token" .access.callerTokenSecret }}
{{- end }}
{{- if .tls.secretName }}
  {{- $_ := set $secrets "tls" (dict "name" .tls.secretName "key" "") }}
{{- end }}
{{- toJson $secrets }}
{{- end }}

{{/* The volumes of both: (MODEL), JSON. */}}
{{- define "predictors.accessVolumes" -}}
{{- $volumes := list }}
{{- range $volume, $configMap := include "predictors.configMaps" . | fromJson }}
  {{- $items := list (dict "key" $configMap.key "path" $configMap.key) }}
  {{- $volumes = append $volumes (dict "name" $volume "configMap" (dict "name" $configMap.name "items" $items)) }}
{{- end }}
{{- range $volume, $secret := include "predictors.secrets" . | fromJson }}
  {{- $source := dict "secretName" $secret.name }}
  {{- if $secret.key }}{{ $_ := set $source "items" (list (dict "key" $secret.key "path" $secret.key)) }}{{ end }}
  {{- $volumes = append $volumes (dict "name" $volume "secret" $source) }}
{{- end }}
{{- toJson $volumes }}
{{- end }}

{{/* Where the container has them: (MODEL), JSON. Not by `subPath`, which would never change in a pod that runs. */}}
{{- define "predictors.accessMounts" -}}
{{- $mounts := list }}
{{- range include "predictors.accessVolumes" . | fromJsonArray }}
  {{- $mounts = append $mounts (dict "name" .name "mountPath" (printf "/etc/predictors/%s" .name) "readOnly" true) }}
{{- end }}
{{- toJson $mounts }}
{{- end }}

{{/* The settings that name them: (MODEL), JSON. */}}
{{- define "predictors.accessSettings" -}}
{{- $settings := dict }}
{{- $files := dict "tokens" "tokenDigestsFile" "metrics-tokens" "metricsTokenDigestsFile" "caller-token" "shadowTokenFile" "fallback-key" "fallbackKeyFile" "jwt-keys" "jwtKeys" }}
{{- range $volume, $source := merge (include "predictors.secrets" . | fromJson) (include "predictors.configMaps" . | fromJson) }}
  {{- with get $files $volume }}{{ $_ := set $settings . (printf "/etc/predictors/%s/%s" $volume $source.key) }}{{ end }}
{{- end }}
{{- if .tls.secretName }}
  {{- $_ := set $settings "sslCertfile" "/etc/predictors/tls/tls.crt" }}
  {{- $_ := set $settings "sslKeyfile" "/etc/predictors/tls/tls.key" }}
  {{- $_ := set $settings "probePort" 8082 }}
  {{- if .tls.clientAuthorities }}{{ $_ := set $settings "sslCaCertfile" "/etc/predictors/tls/ca.crt" }}{{ end }}
{{- end }}
{{- toJson $settings }}
{{- end }}

{{/*
Refuse passwords in addresses, which all read who may read the InferenceService: (list ROOT NAME MODEL). As the server does, by the :
and the @ alone. None of these sentences may quote the address, so they come before all others about it.
*/}}
{{- define "predictors.checkAddresses" -}}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $server := "the server refuses a user or a password in it" }}
{{- $addresses := list
  (list "cacheUrl" $model.cacheUrl (printf "a password in it is readable in the InferenceService; use models.%s.cacheUrlSecret, which names a Secret with the address" $name))
  (list "settings.jwtKeys" $model.settings.jwtKeys (printf "%s, and there is no Secret for one; public keys need none" $server))
  (list "settings.otlpEndpoint" $model.settings.otlpEndpoint (printf "%s; what the collector asks for belongs in models.%s.env, as OTEL_EXPORTER_OTLP_HEADERS from a Secret" $server $name))
  (list "settings.fallbackUrl" $model.settings.fallbackUrl (printf "%s; the endpoint's key belongs in a Secret that models.%s.fallbackKeySecret names" $server $name))
  (list "requestLog.url" $model.requestLog.url (printf "%s; an address that holds a key belongs in models.%s.env, as PREDICTORS_REQUEST_LOG_URL from a Secret" $server $name))
  (list "rollout.strategy.metrics.prometheusUrl" (dig "strategy" "metrics" "prometheusUrl" "" $model.rollout) "the controller refuses a user or a password in it, and there is no Secret for one")
}}
{{- range $addresses }}
  {{- if regexMatch "(?s):.*@" (index . 1 | default "") }}
    {{- fail (printf "models.%s.%s: %s" $name (index . 0) (index . 2)) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Refuse what is half given, or given elsewhere: (list ROOT NAME MODEL). */}}
{{- define "predictors.checkAccess" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- $elsewhere := dict "tokenDigestsFile" "access.tokenDigestsSecret" "metricsTokenDigestsFile" "access.metricsTokenDigestsSecret" "shadowTokenFile" "access.callerTokenSecret" "fallbackKeyFile" "fallbackKeySecret" "limitsUrl" "limitsUrlSecret" "sslCertfile" "tls.secretName" "sslKeyfile" "tls.secretName" "sslCaCertfile" "tls.clientAuthorities" "probePort" "tls.secretName" }}
{{- range $setting, $value := $elsewhere }}
  {{- if hasKey $model.settings $setting }}
    {{- fail (printf "models.%s.settings.%s: use models.%s.%s, which mounts the Secret" $name $setting $name $value) }}
  {{- end }}
{{- end }}
{{- if $model.authoritiesConfigMap.name }}
  {{- range $model.env }}
    {{- if eq .name "SSL_CERT_FILE" }}
      {{- fail (printf "models.%s.env: SSL_CERT_FILE and models.%s.authoritiesConfigMap exclude each other" $name $name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $mountsKeys := not (empty $model.access.jwtKeysConfigMap.name) }}
{{- if and $mountsKeys $model.settings.jwtKeys }}
  {{- fail (printf "models.%s.settings.jwtKeys and models.%s.access.jwtKeysConfigMap exclude each other" $name $name) }}
{{- end }}
{{- $jwt := list }}
{{- $missing := list }}
{{- range list "jwtIssuer" "jwtAudience" "jwtKeys" }}
  {{- if or (get $model.settings .) (and $mountsKeys (eq . "jwtKeys")) }}{{ $jwt = append $jwt . }}{{ else }}{{ $missing = append $missing . }}{{ end }}
{{- end }}
{{- if and $jwt $missing }}
  {{- fail (printf "models.%s.settings: JWTs need jwtIssuer, jwtAudience, and jwtKeys or access.jwtKeysConfigMap; missing is %s" $name (join " and " $missing)) }}
{{- end }}
{{- if and $jwt (not $mountsKeys) (not (hasPrefix "https://" $model.settings.jwtKeys)) }}
  {{- fail (printf "models.%s.settings.jwtKeys: %q is no address that begins with https://; access.jwtKeysConfigMap mounts a file" $name $model.settings.jwtKeys) }}
{{- end }}
{{- if and (or $jwt $model.access.tokenDigestsSecret.name) (not $model.access.callerTokenSecret.name) }}
  {{- fail (printf "models.%s.access.callerTokenSecret.name is missing: callers need a token, and so do `helm test` and the copies of a rollout" $name) }}
{{- end }}
{{- if and $model.limitsUrlSecret.name (not (or $model.settings.clientRequestsPerMinute $model.settings.clientTokensPerMinute $model.settings.modelRequestsPerMinute)) }}
  {{- fail (printf "models.%s.limitsUrlSecret: there is no limit to count for; set settings.clientRequestsPerMinute, clientTokensPerMinute or modelRequestsPerMinute" $name) }}
{{- end }}
{{- if and $model.fallbackKeySecret.name (not $model.settings.fallbackUrl) }}
  {{- fail (printf "models.%s.fallbackKeySecret: there is no endpoint that the key is for; set settings.fallbackUrl and fallbackModel" $name) }}
{{- end }}
{{- if and $model.tls.clientAuthorities (not $model.tls.secretName) }}
  {{- fail (printf "models.%s.tls.secretName is missing: clientAuthorities takes ca.crt from that Secret" $name) }}
{{- end }}
{{- if and $model.tls.secretName (eq $root.Values.kserve.deploymentMode "Knative") }}
  {{- fail (printf "models.%s.tls is for Standard mode: Knative's proxy in the pod speaks to the server without TLS" $name) }}
{{- end }}
{{- if and $model.tls.secretName $model.rollout.enabled (hasKey $model.rollout.strategy "shadow") }}
  {{- fail (printf "models.%s.tls: a rollout's shadow sends its copies without TLS; leave out rollout.strategy.shadow" $name) }}
{{- end }}
{{- end }}
