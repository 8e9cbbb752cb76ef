using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>What an error of a request means.</summary>
internal static class S3Errors
{
    private const int FirstRedirect = 300;
    private const int FirstServerError = 500;

    /// <summary>Refusals that are about this request on its way and not about what it asks for.</summary>
    private static readonly string[] OnTheWay =
    [
        "BadDigest",
        "IncompleteBody",
        "InternalError",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "XAmzContentSHA256Mismatch",
    ];

    /// <summary>Whether there is no such object (or bucket, which a request without an answer's body does not tell apart).</summary>
    public static bool IsMissing(Exception e) => e is AmazonServiceException { StatusCode: HttpStatusCode.NotFound };

    /// <summary>Whether an object ends before the bytes that were asked for.</summary>
    public static bool IsBeyondEnd(Exception e) => e is AmazonServiceException { StatusCode: HttpStatusCode.RequestedRangeNotSatisfiable };

    /// <summary>Whether the same request may go well later.</summary>
    public static bool IsPassing(Exception e) =>
        e switch
        {
            AmazonServiceException { StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests } => true,
            AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented } => false,
            AmazonServiceException service => (int)service.StatusCode is < FirstRedirect or >= FirstServerError
                || OnTheWay.Contains(service.ErrorCode),
            AmazonClientException => true,
            HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException => true,
            _ => false,
        };

    /// <summary>Whether it comes from the service or the way to it, and not from a mistake of ours.</summary>
    public static bool IsOfService(Exception e) => e is AmazonServiceException || IsPassing(e);

    /// <summary>What it was, in few words, and what to do.</summary>
    public static string Describe(Exception e) =>
        e switch
        {
            AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } service =>
                $"permission denied ({Code(service)}). Check the credentials, and that they may read, write, list and delete there.",
            AmazonServiceException { ErrorCode: "NoSuchBucket" } =>
                "there is no such bucket. Make it, or set actortrainer.checkpoints.s3.bucket to one that exists.",
            AmazonServiceException service when (int)service.StatusCode is >= FirstRedirect and < FirstServerError =>
                $"{Code(service)}: {service.Message.TrimEnd('.')}. Check actortrainer.checkpoints.s3: endpoint, region and path-style.",
            AmazonServiceException service when (int)service.StatusCode >= FirstServerError =>
                $"{Code(service)}. Look at the service's own state.",
            OperationCanceledException or TimeoutException =>
                "no answer within actortrainer.checkpoints.s3.request-timeout. Check the network and actortrainer.checkpoints.s3.endpoint.",
            _ => $"{Innermost(e).Message.TrimEnd('.')}. Check the network and actortrainer.checkpoints.s3.endpoint.",
        };

    private static string Code(AmazonServiceException e) =>
        string.IsNullOrEmpty(e.ErrorCode) || e.ErrorCode == e.StatusCode.ToString()
            ? $"{(int)e.StatusCode} {e.StatusCode}"
            : $"{(int)e.StatusCode} {e.ErrorCode}";

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
