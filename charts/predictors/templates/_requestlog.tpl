{{/* The log of requests: the settings that name its sinks, and the volume of its files. */}}

{{/* Add them to a model's settings, in place: (list ROOT NAME MODEL). */}}
{{- define "predictors.requestLogSettings" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $model := index . 2 }}
{{- range $setting, $value := dict "requestLogUrl" "url" "requestLogFile" "volume" }}
  {{- if hasKey $model.settings $setting }}
    {{- fail (printf "models.%s.settings.%s: use models.%s.requestLog.%s" $name $setting $name $value) }}
  {{- end }}
{{- end }}
{{- $given := dict }}
{{- with $model.requestLog.url }}{{ $_ := set $given "requestLogUrl" . }}{{ end }}
{{- if $model.requestLog.volume }}{{ $_ := set $given "requestLogFile" "/var/log/predictors/{host}.jsonl" }}{{ end }}
{{- if $given }}
  {{- $names := dict "requestLogService" $name "requestLogNamespace" $root.Release.Namespace }}
  {{- $_ := set $model "settings" (merge $given $model.settings $names) }}
{{- else }}
  {{- range $setting, $_ := $model.settings }}
    {{- if hasPrefix "requestLog" $setting }}
      {{- fail (printf "models.%s.settings.%s: nothing is logged without models.%s.requestLog.url or .volume" $name $setting $name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The volume of its files: (MODEL), JSON. */}}
{{- define "predictors.requestLogVolumes" -}}
{{- $volumes := list }}
{{- with .requestLog.volume }}{{ $volumes = append $volumes (merge (dict "name" "request-log") .) }}{{ end }}
{{- toJson $volumes }}
{{- end }}

{{/* Where the container has it: (MODEL), JSON. */}}
{{- define "predictors.requestLogMounts" -}}
{{- $mounts := list }}
{{- if .requestLog.volume }}{{ $mounts = append $mounts (dict "name" "request-log" "mountPath" "/var/log/predictors") }}{{ end }}
{{- toJson $mounts }}
{{- end }}
