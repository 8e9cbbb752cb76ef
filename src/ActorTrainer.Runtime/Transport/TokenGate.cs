using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace ActorTrainer.Runtime.Transport;

/// <summary>Lets a request pass when it carries the configured token; without a configured token everything passes.</summary>
internal sealed class TokenGate
{
    private const string Scheme = "Bearer ";
    private readonly byte[]? _expected;

    public TokenGate(string? token) => _expected = token is null ? null : Hash(token);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        string header = context.Request.Headers.Authorization.ToString();
        if (_expected is null || (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && Matches(header[Scheme.Length..])))
        {
            await next(context);
            return;
        }

        string error = header.Length == 0 ? "this node wants a token and none was sent" : "the token is not the one of this cluster";
        const string advice =
            "give the cluster's token: actortrainer.security.token-file, or --token-file FILE. A node on loopback without a token file "
            + "wants the token of the user that it runs as: ask it as that user";
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        context.Response.ContentType = "application/problem+json";
        TokenProblem problem = new(StatusCodes.Status401Unauthorized, error, $"{context.Request.Method} {context.Request.Path}", advice);
        await JsonSerializer.SerializeAsync(context.Response.Body, problem, TokenJsonContext.Default.TokenProblem, context.RequestAborted);
    }

    // Compared as hashes of equal length, in constant time: neither length nor prefix of the token can be measured.
    private bool Matches(string token) => CryptographicOperations.FixedTimeEquals(Hash(token.Trim()), _expected);

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>The body of the refusal, in the form of the API's problems.</summary>
internal sealed record TokenProblem(int Status, string Error, string Where, string Advice);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TokenProblem))]
internal sealed partial class TokenJsonContext : JsonSerializerContext;
