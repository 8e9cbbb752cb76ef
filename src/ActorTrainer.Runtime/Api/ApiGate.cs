using System.Net;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Cluster;
using Microsoft.AspNetCore.Http;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Decides who may ask. With a token, whoever carries it. Without one the node listens on loopback, which any web page in the user's
/// browser can reach as well: requests that a page of another origin makes, also under a name that was rebound to loopback, are refused,
/// since a submitted task is a command line.
/// </summary>
internal sealed class ApiGate(ITaskClient client, string? token)
{
    private readonly byte[]? _token = token is null ? null : Encoding.UTF8.GetBytes(token);

    public void Check(HttpRequest request)
    {
        if (_token is not null && !HasToken(request))
        {
            throw new ApiProblemException(
                StatusCodes.Status401Unauthorized,
                request.Headers.Authorization.Count == 0 ? "this node wants a token" : "the token is not this cluster's",
                "give the cluster's token with --token-file FILE"
            );
        }

        string? origin = request.Headers.Origin;
        if (!string.IsNullOrEmpty(origin) && origin != $"{request.Scheme}://{request.Host}")
        {
            throw new ApiProblemException(StatusCodes.Status403Forbidden, $"requests of web pages of {origin} are not answered");
        }

        if (_token is null && !IsOwnHost(request.Host.Host))
        {
            throw new ApiProblemException(
                StatusCodes.Status403Forbidden,
                $"this node is not called '{request.Host.Host}'",
                "use its address, for example 127.0.0.1:7400"
            );
        }
    }

    private bool HasToken(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim()), _token);
    }

    private bool IsOwnHost(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host.Trim('[', ']'), out _)
        || client.View.Members.Any(member =>
            member.State is not null && host.Equals(member.Address.Host, StringComparison.OrdinalIgnoreCase)
        );
}
