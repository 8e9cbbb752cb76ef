using ActorTrainer.Core.Configuration;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.S3;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>Makes the SDK's client of a configuration.</summary>
internal static class S3Connection
{
    private const string DefaultRegion = "us-east-1";

    /// <exception cref="CheckpointStoreException">The credentials file cannot be read or lacks the profile.</exception>
    public static AmazonS3Client Open(S3StoreModel model)
    {
        AmazonS3Config config = new()
        {
            ForcePathStyle = model.PathStyle,
            Timeout = model.RequestTimeout,

            // Requests are made again here, together with reading their bodies.
            MaxErrorRetry = 0,

            // The default asks for trailing checksums, which not every service knows. Chunks have hashes of their own, and what is sent
            // is signed with its SHA-256.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (model.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = model.Region ?? DefaultRegion;
        }
        else if (model.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        try
        {
            return model.CredentialsFile is { } file
                ? new AmazonS3Client(ReadCredentials(file, model.Profile), config)
                : new AmazonS3Client(config);
        }
        catch (AmazonClientException e)
        {
            throw new CheckpointStoreException($"The checkpoint store cannot be opened: {e.Message}", e);
        }
    }

    private static AWSCredentials ReadCredentials(string file, string profile)
    {
        SharedCredentialsFile credentials = new(file);
        return credentials.TryGetProfile(profile, out CredentialProfile found)
            ? AWSCredentialsFactory.GetAWSCredentials(found, credentials)
            : throw new CheckpointStoreException(
                $"The checkpoint store cannot be opened: {file} has no profile '{profile}' or cannot be read. "
                    + "Check actortrainer.checkpoints.s3.credentials-file and profile."
            );
    }
}
