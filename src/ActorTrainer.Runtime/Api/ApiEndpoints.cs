using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ActorTrainer.Runtime.Api;

/// <summary>The HTTP API of a node, version 1, described in docs/formats/http-api.md.</summary>
public static class ApiEndpoints
{
    /// <summary>The version of the API, and the prefix of its paths.</summary>
    public const int Version = 1;

    /// <summary>The product's version.</summary>
    public static string ProductVersion { get; } =
        typeof(ApiEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "0";

    /// <summary>Maps the API below <c>/v1</c>, without a token.</summary>
    public static void Map(IEndpointRouteBuilder routes, ITaskClient client, INodeFiles files) =>
        Map(routes, client, files, new ApiOptions());

    /// <summary>Maps the API below <c>/v1</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes, ITaskClient client, INodeFiles files, ApiOptions options)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(options);
        ApiGate gate = new(client, options.Token);
        TaskLookup lookup = new(client, files);
        RiskCatalog risks = new(client, files, options);
        new TaskEndpoints(client, lookup, risks).Map(new Routes(routes, gate));
        new OutputEndpoints(client, files, lookup, options).Map(new Routes(routes, gate));
        new CheckpointEndpoints(client, files, lookup, risks).Map(new Routes(routes, gate));
        new ImportEndpoints(client, files, lookup).Map(new Routes(routes, gate));
        new BundleEndpoints(files).Map(new Routes(routes, gate));
        if (options.Peers is { } peers)
        {
            new PeerEndpoints(peers).Map(new Routes(routes, gate));
        }

        new ClusterEndpoints(client, lookup, risks).Map(new Routes(routes, gate));
        new Routes(routes, gate).Get(
            "/v1/version",
            http =>
                http.WriteAsync(
                    StatusCodes.Status200OK,
                    new VersionInfo("ActorTrainer", ProductVersion, Version, RuntimeInformation.FrameworkDescription, client.View.Self)
                    {
                        Cluster = client.ClusterName,
                        Journal = client.Journal?.Identity,
                    },
                    ApiJson.Default.VersionInfo
                )
        );
    }

    /// <summary>Maps handlers so that each goes through the gate and ends a refused request with a problem.</summary>
    internal sealed class Routes(IEndpointRouteBuilder routes, ApiGate gate)
    {
        public void Get([StringSyntax("Route")] string pattern, Func<HttpContext, Task> handler) =>
            routes.MapGet(pattern, Guarded(handler));

        public void Post([StringSyntax("Route")] string pattern, Func<HttpContext, Task> handler) =>
            routes.MapPost(pattern, Guarded(handler));

        public void Head([StringSyntax("Route")] string pattern, Func<HttpContext, Task> handler) =>
            routes.MapMethods(pattern, [HttpMethods.Head], Guarded(handler));

        public void Put([StringSyntax("Route")] string pattern, Func<HttpContext, Task> handler) =>
            routes.MapPut(pattern, Guarded(handler));

        public void Delete([StringSyntax("Route")] string pattern, Func<HttpContext, Task> handler) =>
            routes.MapDelete(pattern, Guarded(handler));

        private RequestDelegate Guarded(Func<HttpContext, Task> handler) =>
            async http =>
            {
                try
                {
                    gate.Check(http.Request);
                    await handler(http);
                }
                catch (ApiProblemException problem)
                {
                    await http.WriteProblemAsync(problem.Status, problem.Message, problem.Advice);
                }
                catch (JournalUnavailableException e)
                {
                    await http.WriteProblemAsync(
                        StatusCodes.Status503ServiceUnavailable,
                        $"the journal cannot be read now: {e.Message}",
                        ApiProblemException.JournalLater
                    );
                }
                catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
                {
                    // The client has gone; there is nobody to answer.
                }
            };
    }
}

/// <summary>Reading requests and writing answers.</summary>
internal static class ApiHttp
{
    public static string Route(this HttpContext http, string name) => (string)http.Request.RouteValues[name]!;

    public static bool Flag(this HttpContext http, string name)
    {
        string? text = http.Request.Query[name];
        return text switch
        {
            null or "false" or "0" => false,
            "" or "true" or "1" => true,
            _ => throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"'{name}={text}' is not true or false",
                $"use {name}=true"
            ),
        };
    }

    public static long? Number(this HttpContext http, string name)
    {
        string? text = http.Request.Query[name];
        return string.IsNullOrEmpty(text) ? null
            : long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out long number) && number >= 0 ? number
            : throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"'{name}={text}' is not a number",
                $"use {name}=0 or a larger whole number"
            );
    }

    public static async Task<JsonNode?> ReadBodyAsync(this HttpContext http)
    {
        if (
            http.Request.ContentLength is 0
            || (http.Request.ContentLength is null && !http.Request.Headers.ContainsKey("Transfer-Encoding"))
        )
        {
            return null;
        }

        try
        {
            return await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
        }
        catch (JsonException e)
        {
            throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"the body is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}",
                "send one JSON object"
            );
        }
    }

    public static T? Get<T>(this JsonNode? body, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return body.Deserialize(type);
        }
        catch (JsonException)
        {
            throw new ApiProblemException(StatusCodes.Status400BadRequest, "the body has the wrong form", "see docs/formats/http-api.md");
        }
    }

    public static async Task WriteAsync<T>(this HttpContext http, int status, T value, JsonTypeInfo<T> type)
    {
        http.Response.StatusCode = status;
        await http.Response.WriteAsJsonAsync(value, type, cancellationToken: http.RequestAborted);
    }

    public static async Task WriteProblemAsync(this HttpContext http, int status, string error, string advice)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        // What was said of a content that does not come after all.
        http.Response.ContentLength = null;
        http.Response.Headers.ContentDisposition = default;
        http.Response.StatusCode = status;
        ApiProblem problem = new(status, error, $"{http.Request.Method} {http.Request.Path}", advice);
        await http.Response.WriteAsJsonAsync(problem, ApiJson.Default.ApiProblem, "application/problem+json", http.RequestAborted);
    }

    /// <summary>Writes a command's outcome: accepted 200 or 201, refused 404 or 409, unavailable 503.</summary>
    public static Task WriteReplyAsync(this HttpContext http, CommandReply reply, int acceptedStatus = StatusCodes.Status200OK) =>
        reply switch
        {
            CommandAccepted => http.WriteAsync(acceptedStatus, reply, ApiJson.Default.CommandReply),
            CommandRefused refused => http.WriteProblemAsync(
                refused.NotFound ? StatusCodes.Status404NotFound : StatusCodes.Status409Conflict,
                refused.Reason,
                ""
            ),
            CommandUnavailable unavailable => http.WriteProblemAsync(
                StatusCodes.Status503ServiceUnavailable,
                unavailable.Reason,
                ApiProblemException.Later
            ),
            _ => throw new InvalidOperationException($"unknown reply {reply.GetType().Name}"),
        };
}
