import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.IDaoRegistry;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HibernatePropertiesProvider;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.config.util.ResourceCountCacheUtil;
import ca.uhn.fhir.jpa.dao.FulltextSearchSvcImpl;
import ca.uhn.fhir.jpa.dao.IFulltextSearchSvc;
import ca.uhn.fhir.jpa.dao.search.HSearchSortHelperImpl;
import ca.uhn.fhir.jpa.dao.search.IHSearchSortHelper;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.DaoRegistryResourceSupportedSvc;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.search.IStaleSearchDeletingSvc;
import ca.uhn.fhir.jpa.search.StaleSearchDeletingSvcImpl;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.jpa.util.ResourceCountCache;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.IResourceSupportedSvc;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import jakarta.persistence.EntityManagerFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.h2.jdbcx.JdbcConnectionPool;
import org.hibernate.dialect.Dialect;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * A real HAPI FHIR JPA server (R4) for tests: loopback only, database in memory, nothing written to disk.
 *
 * <p>Usage: {@code java -jar hapi-server.jar PORT}; port 0 takes a free one. When it serves it prints one line,
 * {@code READY http://127.0.0.1:PORT/fhir}. It lives as long as its standard input stays open: when the process that
 * started it ends, however it ends, the pipe closes and the server halts. SIGTERM stops it too.
 *
 * <p>System properties: {@code hapi.validate=true} refuses (422) what the R4 definitions refuse;
 * {@code hapi.cacheMillis=N} reuses search results for so long (HAPI's default is 60000; here 0).
 */
public final class HapiServer {

  private HapiServer() {}

  public static void main(String[] arguments) {
    haltWithParent();
    try {
      serve(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0);
    } catch (Throwable failure) {
      // HAPI leaves threads that are no daemons: without a halt a failed start would never end.
      failure.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void haltWithParent() {
    // Nothing is on disk, so there is nothing to close in good order.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
    Thread watchdog = new Thread(() -> {
      try {
        while (System.in.read() != -1) { /* only its end matters */ }
      } catch (IOException closed) {
        // as good as the end
      }
      Runtime.getRuntime().halt(0);
    }, "parent-watchdog");
    watchdog.setDaemon(true);
    watchdog.start();
  }

  private static void serve(int port) throws Exception {
    Server jetty = new Server(new InetSocketAddress("127.0.0.1", port));
    ServerConnector connector = (ServerConnector) jetty.getConnectors()[0];
    connector.open(); // a taken port fails now, not after the long start of Spring
    ApplicationContext beans = new AnnotationConfigApplicationContext(Beans.class);
    ServletContextHandler handler = new ServletContextHandler("/");
    handler.addServlet(new ServletHolder(fhirServlet(beans)), "/fhir/*");
    jetty.setHandler(handler);
    jetty.start();
    System.out.println("READY http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
    System.out.flush();
    jetty.join();
  }

  private static RestfulServer fhirServlet(ApplicationContext beans) {
    RestfulServer fhir = new RestfulServer(beans.getBean(FhirContext.class));
    fhir.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
    fhir.registerProvider(beans.getBean(IJpaSystemProvider.class));
    fhir.registerProvider(beans.getBean(ValueSetOperationProvider.class));
    fhir.setServerConformanceProvider(new JpaCapabilityStatementProvider(
        fhir,
        beans.getBean(IFhirSystemDao.class),
        beans.getBean(JpaStorageSettings.class),
        beans.getBean(ISearchParamRegistry.class),
        beans.getBean(IValidationSupport.class)));
    fhir.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
    fhir.setDefaultResponseEncoding(EncodingEnum.JSON);
    if (Boolean.getBoolean("hapi.validate")) {
      RequestValidatingInterceptor validator = new RequestValidatingInterceptor();
      validator.setFailOnSeverity(ResultSeverityEnum.ERROR);
      validator.setValidatorModules(List.of(beans.getBean(IValidatorModule.class)));
      fhir.registerInterceptor(validator);
    }
    return fhir;
  }

  @Configuration
  @Import({
    JpaR4Config.class,
    ThreadPoolFactoryConfig.class,
    SubscriptionChannelConfig.class,
    SubscriptionSubmitterConfig.class,
    JpaBatch2Config.class,
    Batch2JobsConfig.class
  })
  public static class Beans {

    @Bean
    public JpaStorageSettings storageSettings() {
      JpaStorageSettings settings = new JpaStorageSettings();
      long cacheMillis = Long.getLong("hapi.cacheMillis", 0);
      settings.setReuseCachedSearchResultsForMillis(cacheMillis > 0 ? cacheMillis : null);
      settings.setAllowMultipleDelete(true);
      settings.setExpungeEnabled(true);
      return settings;
    }

    @Bean
    public SubscriptionSettings subscriptionSettings() {
      return new SubscriptionSettings();
    }

    @Bean
    public PartitionSettings partitionSettings() {
      return new PartitionSettings();
    }

    @Bean
    public DataSource dataSource() {
      JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1", "sa", "");
      pool.setMaxConnections(32);
      return pool;
    }

    @Bean
    public LocalContainerEntityManagerFactoryBean entityManagerFactory(
        ConfigurableListableBeanFactory factory, FhirContext fhir, JpaStorageSettings settings, DataSource source) {
      LocalContainerEntityManagerFactoryBean bean =
          HapiEntityManagerFactoryUtil.newEntityManagerFactory(factory, fhir, settings);
      Properties properties = new Properties();
      properties.putAll(Map.of(
          "hibernate.dialect", HapiFhirH2Dialect.class.getName(),
          "hibernate.hbm2ddl.auto", "create",
          "hibernate.jdbc.batch_size", "20",
          "hibernate.cache.use_query_cache", "false",
          "hibernate.cache.use_second_level_cache", "false",
          "hibernate.search.enabled", "false"));
      bean.setPersistenceUnitName("HAPI_PU");
      bean.setDataSource(source);
      bean.setJpaProperties(properties);
      return bean;
    }

    @Bean
    @Primary
    public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }

    @Bean
    @Primary
    public HibernatePropertiesProvider hibernatePropertiesProvider() {
      return new HibernatePropertiesProvider() {
        private final Dialect dialect = new HapiFhirH2Dialect();

        @Override
        public Dialect getDialect() {
          return dialect;
        }
      };
    }

    @Bean
    public IFulltextSearchSvc fullTextSearchSvc() {
      return new FulltextSearchSvcImpl();
    }

    @Bean
    public IHSearchSortHelper hSearchSortHelper(ISearchParamRegistry registry) {
      return new HSearchSortHelperImpl(registry);
    }

    @Bean
    public IStaleSearchDeletingSvc staleSearchDeletingSvc() {
      return new StaleSearchDeletingSvcImpl();
    }

    @Bean
    public DatabaseBackedPagingProvider pagingProvider() {
      DatabaseBackedPagingProvider paging = new DatabaseBackedPagingProvider();
      paging.setDefaultPageSize(20);
      paging.setMaximumPageSize(500);
      return paging;
    }

    @Bean
    public IResourceSupportedSvc resourceSupportedSvc(IDaoRegistry registry) {
      return new DaoRegistryResourceSupportedSvc(registry);
    }

    @Bean(name = "myResourceCountsCache")
    public ResourceCountCache resourceCounts(IFhirSystemDao<?, ?> dao) {
      return ResourceCountCacheUtil.newResourceCountCache(dao);
    }
  }
}
