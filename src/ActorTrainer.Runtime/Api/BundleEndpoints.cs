using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ActorTrainer.Runtime.Api;

/// <summary>Bundles: ask for, upload.</summary>
internal sealed class BundleEndpoints(INodeFiles files)
{
    private const string Path = "/v1/bundles/{hash}";

    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Head(Path, FindAsync);
        routes.Put(Path, http => TakeAsync(http, files.Bundles));
    }

    private async Task FindAsync(HttpContext http)
    {
        // A body is not sent in answer to HEAD, so a problem would not be seen.
        http.Response.StatusCode = await files.Bundles.HasAsync(http.Route("hash"), http.RequestAborted)
            ? StatusCodes.Status200OK
            : StatusCodes.Status404NotFound;
    }

    /// <summary>The hash that a request names.</summary>
    public static string HashOf(HttpContext http)
    {
        string hash = http.Route("hash");
        return BundleSpec.IsHash(hash)
            ? hash
            : throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"'{hash}' is not a bundle's hash",
                "it is 64 lower-case hexadecimal digits, see docs/formats/checkpoint.md"
            );
    }

    /// <summary>Takes in the bundle that a request brings.</summary>
    public static async Task TakeAsync(HttpContext http, IBundleStore bundles)
    {
        string hash = HashOf(http);

        // The store counts what it takes, packed and unpacked.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        BundleSpec put;
        try
        {
            put = await bundles.PutAsync(hash, http.Request.Body, http.RequestAborted);
        }
        catch (BundleException e)
        {
            throw new ApiProblemException(
                e.TooLarge ? StatusCodes.Status413PayloadTooLarge : StatusCodes.Status400BadRequest,
                e.Message.TrimEnd('.'),
                "see docs/formats/checkpoint.md for what a bundle is"
            );
        }
        catch (CheckpointStoreException e)
        {
            throw new ApiProblemException(StatusCodes.Status503ServiceUnavailable, e.Message.TrimEnd('.'), ApiProblemException.Later);
        }
        catch (IOException e)
        {
            throw new ApiProblemException(
                StatusCodes.Status400BadRequest,
                $"the bundle did not arrive whole: {e.Message.TrimEnd('.')}",
                "send it once more"
            );
        }

        await http.WriteAsync(StatusCodes.Status201Created, put, ApiJson.Default.BundleSpec);
    }
}
