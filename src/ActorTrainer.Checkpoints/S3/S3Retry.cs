using System.Security.Cryptography;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>
/// Makes a request again that did not go well, after a pause that doubles and is drawn at random, so that many clients do not come back at
/// the same moment; for a bounded time.
/// </summary>
/// <param name="place">The store, for messages.</param>
/// <param name="requestTimeout">After this a request counts as lost.</param>
/// <param name="retryFor">How long it is made again.</param>
/// <param name="time">The clock.</param>
internal sealed class S3Retry(string place, TimeSpan requestTimeout, TimeSpan retryFor, TimeProvider time)
{
    private const int LongestDoubling = 6;
    private const int Percent = 100;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs it until it goes well.</summary>
    /// <param name="what">What is asked for, for messages.</param>
    /// <param name="request">One attempt; its errors of other kinds are the caller's.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="CheckpointStoreException">It was refused, or did not go well for so long.</exception>
    public async Task<T> RunAsync<T>(string what, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        for (int failed = 0; ; failed++)
        {
            try
            {
                using CancellationTokenSource limit = new(requestTimeout, time);
                using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
                return await request(both.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (S3Errors.IsOfService(e))
            {
                cancellationToken.ThrowIfCancellationRequested();
                TimeSpan pause = PauseAfter(failed);
                if (!S3Errors.IsPassing(e) || time.GetElapsedTime(start) + pause > retryFor)
                {
                    throw Away(what, e);
                }

                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Half of it is certain, the other half is drawn.</summary>
    internal static TimeSpan PauseAfter(int failed)
    {
        TimeSpan longest = FirstPause * (1 << Math.Min(failed, LongestDoubling));
        return longest * ((Percent + RandomNumberGenerator.GetInt32(Percent + 1)) / (2.0 * Percent));
    }

    private CheckpointStoreException Away(string what, Exception e) =>
        new($"The checkpoint store at {place} is away: {what}: {S3Errors.Describe(e)}", e);
}
